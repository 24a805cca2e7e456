import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useState } from 'react';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { PasswordField } from '@/ui/Field';
import { Trouble } from '@/ui/Trouble';
import { magpie, session, signedIn, useUser } from './session';

/** The session ended under a page: the password is asked for on top of it, so that what is half done stays. */
export function Expired() {
  const user = useUser();
  const navigate = useNavigate();
  const here = useRouterState({ select: (state) => state.location.href });
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  if (!user) return null;
  const signIn = async (form: FormData) => {
    const password = form.get('password');
    if (typeof password !== 'string') return;
    setBusy(true);
    setError(null);
    try {
      signedIn(await magpie.login({ username: user.username, password }));
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('auth.expired')}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void signIn(new FormData(event.currentTarget));
        }}
      >
        <p>{t('auth.expiredText')}</p>
        <input type="hidden" name="username" autoComplete="username" value={user.username} readOnly />
        <PasswordField
          label={t('auth.password')}
          name="password"
          autoComplete="current-password"
          required
          autoFocus
        />
        {error !== null && <Trouble error={error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button
            look="quiet"
            onClick={() => {
              session.set({ status: 'out' });
              void navigate({ to: '/login', search: { return: here } });
            }}
          >
            {t('auth.back')}
          </Button>
          <Button type="submit" look="primary" busy={busy}>
            {t('auth.signIn')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
