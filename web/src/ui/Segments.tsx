import type { LucideIcon } from 'lucide-react';
import { useId } from 'react';
import { cx } from './cx';
import { keepArrows } from './keepArrows';

/** One of a few, all of them in sight. Radio buttons, so that arrow keys choose. */
export function Segments<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly { value: T; text: string; icon?: LucideIcon; hint?: string }[];
  onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <div
      role="radiogroup"
      aria-label={label}
      className="inline-flex max-w-full shrink-0 rounded-md border border-line bg-sunken p-0.5"
    >
      {options.map(({ value: one, text, icon: Icon, hint }) => (
        <label
          key={one}
          title={hint}
          className={cx(
            'relative inline-flex min-h-8 min-w-0 items-center justify-center gap-1.5 rounded-md px-2.5',
            'pointer-coarse:min-h-10 has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-accent',
            one === value ? 'bg-surface font-medium shadow-sm' : 'text-muted hover:text-text',
          )}
        >
          <input
            type="radio"
            name={name}
            value={one}
            checked={one === value}
            onChange={() => onChange(one)}
            onKeyDown={keepArrows}
            className="absolute inset-0 size-full cursor-pointer appearance-none outline-none"
          />
          {Icon && <Icon size={16} aria-hidden className="shrink-0" />}
          <span className={cx('truncate', Icon && 'max-sm:sr-only')}>{text}</span>
        </label>
      ))}
    </div>
  );
}
