import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { AuthForm, AuthFrame } from '@/app/AuthFrame';
import { magpie } from '@/app/session';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Field, PasswordField } from '@/ui/Field';

export default function Reset() {
  const [{ token }] = useUrl();
  const [done, setDone] = useState(false);
  return (
    <AuthFrame title={t('auth.resetTitle')} {...(done ? { text: t('auth.resetDone') } : {})}>
      {!done && (
        <AuthForm
          submit={t('auth.resetDo')}
          onSubmit={async (body) => {
            await magpie.json('POST', '/api/auth/password/reset', { body });
            setDone(true);
          }}
        >
          <Field label={t('auth.resetToken')} name="token" defaultValue={token} autoComplete="off" required />
          <PasswordField
            label={t('auth.newPassword')}
            name="new_password"
            hint={t('auth.passwordHint')}
            minLength={8}
            autoComplete="new-password"
            required
          />
        </AuthForm>
      )}
      <Link to="/login" className="rounded-md text-accent underline">
        {t('auth.back')}
      </Link>
    </AuthFrame>
  );
}
