import { Check, ImageOff } from 'lucide-react';
import { useState } from 'react';
import { cx } from '@/ui/cx';

/** A thumbnail in its place: its colour before it is there, a sign where it cannot be. */
export function Thumb({ src, alt, className }: { src: string; alt: string; className?: string }) {
  const [state, setState] = useState<'loading' | 'there' | 'gone'>('loading');
  if (state === 'gone')
    return (
      <span
        role="img"
        aria-label={alt}
        className={cx('flex items-center justify-center bg-sunken text-muted', className)}
      >
        <ImageOff size={24} aria-hidden />
      </span>
    );
  return (
    <img
      src={src}
      alt={alt}
      draggable={false}
      decoding="async"
      onLoad={() => setState('there')}
      onError={() => setState('gone')}
      className={cx('bg-sunken object-cover', state === 'loading' && 'text-transparent', className)}
    />
  );
}

/** The mark of a chosen picture; a place to click on for one that is not. */
export function Mark({ chosen, shown }: { chosen: boolean; shown: boolean }) {
  return (
    <span
      data-mark
      aria-hidden
      className={cx(
        'absolute top-2 left-2 size-6 items-center justify-center rounded-full border-2 border-white shadow',
        chosen ? 'flex bg-accent text-on-accent' : 'bg-shade',
        !chosen && (shown ? 'flex' : 'hidden group-hover:flex'),
      )}
    >
      {chosen && <Check size={14} strokeWidth={3} />}
    </span>
  );
}
