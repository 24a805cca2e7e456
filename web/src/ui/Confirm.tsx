import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { t } from '@/text';
import { Button, type ButtonProps } from './Button';
import { Dialog } from './Dialog';
import { Trouble } from './Trouble';

/** A question before something that cannot be taken back; it stays open until it is done, and says what went wrong. */
export function Confirm({
  title,
  children,
  action,
  look = 'danger',
  run,
  onClose,
}: {
  title: string;
  children: ReactNode;
  action: string;
  look?: NonNullable<ButtonProps['look']>;
  run: () => Promise<unknown>;
  onClose: () => void;
}) {
  const doing = useMutation({ mutationFn: run, onSuccess: onClose });
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="flex flex-col gap-4">
        <div className="flex flex-col gap-2">{children}</div>
        {doing.error && <Trouble error={doing.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button look={look} busy={doing.isPending} onClick={() => doing.mutate()}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
