import { X } from 'lucide-react';
import { t } from '@/text';

/** A condition that can be taken away. */
export function Chip({ text, onRemove }: { text: string; onRemove?: () => void }) {
  return (
    <span className="inline-flex min-h-7 max-w-full items-center gap-1 rounded-md bg-accent-soft px-2 text-text">
      <span className="truncate">{text}</span>
      {onRemove && (
        <button
          type="button"
          aria-label={t('app.remove', { what: text })}
          onClick={onRemove}
          className="-mr-1 inline-flex size-6 items-center justify-center rounded-md hover:bg-surface"
        >
          <X size={14} aria-hidden />
        </button>
      )}
    </span>
  );
}
