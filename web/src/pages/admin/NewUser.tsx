import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { magpie, queries, type User } from '@/app/session';
import { toast } from '@/app/toasts';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field, PasswordField } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { Trouble } from '@/ui/Trouble';
import { roleOptions } from './people';

/** An account for somebody who gets name and password from the administrator. */
export function NewUser({ onClose }: { onClose: () => void }) {
  const [role, setRole] = useState('user');
  const add = useMutation({
    mutationFn: (form: FormData) =>
      magpie.json<User>('POST', '/api/users', { body: { ...Object.fromEntries(form), role } }),
    onSuccess: ({ username }) => {
      toast({ text: t('admin.users.made', { name: username }) });
      void queries.invalidateQueries({ queryKey: ['users'] });
      onClose();
    },
  });
  return (
    <Dialog title={t('admin.users.new')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate(new FormData(event.currentTarget));
        }}
      >
        <Field
          label={t('auth.username')}
          name="username"
          hint={t('auth.usernameHint')}
          autoComplete="off"
          autoCapitalize="none"
          minLength={3}
          maxLength={32}
          required
        />
        <Field label={t('auth.emailOptional')} name="email" type="email" autoComplete="off" />
        <PasswordField
          label={t('auth.password')}
          name="password"
          hint={t('auth.passwordHint')}
          minLength={8}
          autoComplete="new-password"
          required
        />
        <Select
          label={t('admin.users.role')}
          value={role}
          options={roleOptions()}
          onChange={(event) => setRole(event.target.value)}
        />
        {add.error && <Trouble error={add.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button look="primary" type="submit" busy={add.isPending}>
            {t('admin.users.make')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
