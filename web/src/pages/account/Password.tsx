import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { magpie, queries, useUser } from '@/app/session';
import { toast } from '@/app/toasts';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { PasswordField } from '@/ui/Field';
import { Trouble } from '@/ui/Trouble';
import { Part } from './Part';

export function Password() {
  const user = useUser();
  const form = useRef<HTMLFormElement>(null);
  const change = useMutation({
    mutationFn: (body: object) => magpie.json('POST', '/api/auth/password', { body }),
    onSuccess: () => {
      form.current?.reset();
      toast({ text: t('account.password.done') });
      void queries.invalidateQueries({ queryKey: ['sessions'] });
    },
  });
  return (
    <Part title={t('account.password.title')} text={t('account.password.text')}>
      <form
        ref={form}
        className="flex max-w-sm flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(Object.fromEntries(new FormData(event.currentTarget)));
        }}
      >
        {/* For password managers, which have to know whose it is. */}
        <input type="text" autoComplete="username" value={user?.username ?? ''} readOnly hidden />
        <PasswordField
          label={t('account.password.old')}
          name="old_password"
          autoComplete="current-password"
          required
        />
        <PasswordField
          label={t('account.password.new')}
          name="new_password"
          hint={t('auth.passwordHint')}
          minLength={8}
          autoComplete="new-password"
          required
        />
        {change.error && <Trouble error={change.error} />}
        <div>
          <Button type="submit" busy={change.isPending}>
            {t('account.password.change')}
          </Button>
        </div>
      </form>
    </Part>
  );
}
