import { Link, Navigate, useNavigate } from '@tanstack/react-router';
import { AuthForm, AuthFrame } from '@/app/AuthFrame';
import { magpie, signedIn, useSession } from '@/app/session';
import { useWays } from '@/app/ways';
import { safeReturn, useUrl } from '@/lib/url';
import { t } from '@/text';
import { Field, PasswordField } from '@/ui/Field';

export default function Login() {
  const [{ return: back }] = useUrl();
  const navigate = useNavigate();
  const { status } = useSession();
  const { data: ways } = useWays();
  if (status === 'in') return <Navigate to={safeReturn(back)} replace />;
  if (ways?.setup_needed) return <Navigate to="/setup" replace />;
  return (
    <AuthFrame title={t('auth.welcome')}>
      <AuthForm
        submit={t('auth.signIn')}
        onSubmit={async ({ username = '', password = '' }) => {
          const who = username.includes('@') ? { email: username } : { username };
          signedIn(await magpie.login({ ...who, password }));
          void navigate({ href: safeReturn(back), replace: true });
        }}
      >
        <Field
          label={t('auth.usernameOrEmail')}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          required
          autoFocus
        />
        <PasswordField label={t('auth.password')} name="password" autoComplete="current-password" required />
      </AuthForm>
      <div className="flex flex-wrap justify-between gap-2">
        <Link to="/forgot" className="rounded-md text-accent underline">
          {t('auth.forgot')}
        </Link>
        {ways && ways.registration !== 'closed' && (
          <Link to="/register" className="rounded-md text-accent underline">
            {t('auth.register')}
          </Link>
        )}
      </div>
    </AuthFrame>
  );
}
