import { X } from 'lucide-react';
import { useId, useRef, type ReactNode } from 'react';
import { t } from '@/text';
import { IconButton } from './Button';
import { cx } from './cx';
import { useModal } from './useModal';

export interface DialogProps {
  title: string;
  children: ReactNode;
  onClose?: () => void;
  wide?: boolean;
  /** The title is there for screen readers alone. */
  bare?: boolean;
}

/** The browser's own modal dialog: it keeps the focus, and Escape closes it. Without onClose it stays. */
export function Dialog({ title, children, onClose, wide, bare }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useModal(ref, true);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose?.();
      }}
      className={cx(
        'm-auto max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] overflow-auto rounded-md border border-line bg-surface p-0 shadow-xl',
        wide ? 'max-w-3xl' : 'max-w-md',
      )}
    >
      <div className={bare ? '' : 'p-6'}>
        <div className={bare ? 'sr-only' : 'mb-4 flex items-start justify-between gap-4'}>
          <h2 id={id} className="text-lg font-semibold">
            {title}
          </h2>
          {onClose && !bare && (
            <IconButton icon={X} label={t('app.close')} onClick={onClose} className="-m-2" />
          )}
        </div>
        {children}
      </div>
    </dialog>
  );
}
