import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { dismiss, toasts, type Toast } from '@/app/toasts';
import { useStore } from '@/lib/store';
import { t } from '@/text';
import { Button, IconButton } from './Button';
import { cx } from './cx';
import { topmost } from './useModal';

function One({ toast }: { toast: Toast }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held || toast.lasts === undefined) return;
    const timer = setTimeout(() => dismiss(toast.id), toast.lasts);
    return () => clearTimeout(timer);
  }, [held, toast]);
  return (
    <li
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className={cx(
        'pointer-events-auto flex items-center gap-2 rounded-md border bg-surface py-2 pr-2 pl-4 shadow-lg',
        toast.kind === 'error' ? 'border-danger' : 'border-line-strong',
      )}
    >
      <div role={toast.kind === 'error' ? 'alert' : 'status'} className="min-w-0 flex-1">
        <p className="break-words">{toast.text}</p>
        {toast.trouble && <p className="text-muted">{toast.trouble.next}</p>}
      </div>
      {toast.action && (
        <Button
          look="quiet"
          className="text-accent"
          onClick={() => {
            dismiss(toast.id, true);
            toast.action?.run();
          }}
        >
          {toast.action.label}
        </Button>
      )}
      <IconButton icon={X} label={t('app.close')} onClick={() => dismiss(toast.id)} />
    </li>
  );
}

/** Pauses while somebody points at a notice or is inside it. They stand in the dialog that is open, if one is: else
 * nobody could take anything back there. */
export function Toasts() {
  const all = useStore(toasts);
  const dialog = useStore(topmost);
  return createPortal(
    <section aria-label={t('app.notices')}>
      <ol className="pointer-events-none fixed inset-x-4 bottom-20 z-50 mx-auto flex max-w-md flex-col gap-2 md:bottom-6">
        {all.map((toast) => (
          <One key={toast.id} toast={toast} />
        ))}
      </ol>
    </section>,
    dialog ?? document.body,
  );
}
