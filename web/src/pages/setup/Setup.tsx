import { Link, Navigate, useNavigate } from '@tanstack/react-router';
import { AuthForm, AuthFrame } from '@/app/AuthFrame';
import { magpie, queries, signedIn, useSession } from '@/app/session';
import { useWays } from '@/app/ways';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Field, PasswordField } from '@/ui/Field';

export default function Setup() {
  const [{ token }] = useUrl();
  const navigate = useNavigate();
  const { status } = useSession();
  const { data: ways } = useWays();
  if (status === 'in') return <Navigate to="/" replace />;
  if (ways && !ways.setup_needed)
    return (
      <AuthFrame title={t('auth.setup')} text={t('auth.setupDone')}>
        <Link to="/login" className="rounded-md text-accent underline">
          {t('auth.signIn')}
        </Link>
      </AuthFrame>
    );
  return (
    <AuthFrame title={t('auth.setup')} text={t('auth.setupText')}>
      <AuthForm
        submit={t('auth.setupMake')}
        onSubmit={async ({ setup_token = '', username = '', password = '', ...rest }) => {
          const user = await magpie.setUp({ setup_token, username, password, ...rest });
          queries.removeQueries({ queryKey: ['ways'] });
          signedIn(user);
          void navigate({ to: '/', replace: true });
        }}
      >
        {token === undefined ? (
          <Field
            label={t('auth.setupToken')}
            name="setup_token"
            hint={t('auth.setupTokenHint')}
            autoComplete="off"
            required
          />
        ) : (
          <input type="hidden" name="setup_token" value={token} />
        )}
        <Field
          label={t('auth.username')}
          name="username"
          hint={t('auth.usernameHint')}
          autoComplete="username"
          autoCapitalize="none"
          required
          autoFocus
        />
        <Field label={t('auth.emailOptional')} name="email" type="email" autoComplete="email" />
        <PasswordField
          label={t('auth.password')}
          name="password"
          hint={t('auth.passwordHint')}
          minLength={8}
          autoComplete="new-password"
          required
        />
      </AuthForm>
    </AuthFrame>
  );
}
