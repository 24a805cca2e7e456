import { Link, Navigate, useNavigate } from '@tanstack/react-router';
import { AuthForm, AuthFrame } from '@/app/AuthFrame';
import { magpie, signedIn, useSession } from '@/app/session';
import { useWays } from '@/app/ways';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Field, PasswordField } from '@/ui/Field';

export default function Register() {
  const [{ invite }] = useUrl();
  const navigate = useNavigate();
  const { status } = useSession();
  const { data: ways } = useWays();
  if (status === 'in') return <Navigate to="/" replace />;
  if (ways?.setup_needed) return <Navigate to="/setup" replace />;
  const closed = ways?.registration === 'closed';
  return (
    <AuthFrame title={t('auth.register')} {...(closed ? { text: t('auth.closed') } : {})}>
      {!closed && (
        <AuthForm
          submit={t('auth.register')}
          onSubmit={async ({ username = '', password = '', ...rest }) => {
            signedIn(await magpie.register({ username, password, ...rest }));
            void navigate({ to: '/', replace: true });
          }}
        >
          {(ways?.registration === 'invite' || invite !== undefined) && (
            <Field
              label={t('auth.invite')}
              name="invite"
              hint={t('auth.inviteHint')}
              defaultValue={invite}
              autoComplete="off"
              required
            />
          )}
          <Field
            label={t('auth.username')}
            name="username"
            hint={t('auth.usernameHint')}
            autoComplete="username"
            autoCapitalize="none"
            required
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
      )}
      <p>
        {t('auth.haveOne')}{' '}
        <Link to="/login" className="rounded-md text-accent underline">
          {t('auth.signIn')}
        </Link>
      </p>
    </AuthFrame>
  );
}
