import { X } from 'lucide-react';
import { useId, useRef, type ReactNode } from 'react';
import { t } from '@/text';
import { IconButton } from './Button';
import { useModal } from './useModal';

/** A dialog at the lower edge, where thumbs are. Escape, a tap beside it and the button close it. */
export function Sheet({
  title,
  children,
  onClose,
}: {
  title: string;
  children: ReactNode;
  onClose: () => void;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useModal(ref);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className="mx-auto mt-auto mb-0 max-h-[80dvh] w-full max-w-xl overflow-auto rounded-t-md border border-line bg-surface p-0 shadow-xl"
    >
      <div className="p-4 pb-[max(1rem,env(safe-area-inset-bottom))]">
        <div className="mb-3 flex items-center justify-between gap-4">
          <h2 id={id} className="text-lg font-semibold">
            {title}
          </h2>
          <IconButton icon={X} label={t('app.close')} onClick={onClose} className="-m-2" />
        </div>
        {children}
      </div>
    </dialog>
  );
}
