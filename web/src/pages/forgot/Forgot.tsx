import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { AuthForm, AuthFrame } from '@/app/AuthFrame';
import { magpie } from '@/app/session';
import { useWays } from '@/app/ways';
import { t } from '@/text';
import { Field } from '@/ui/Field';

export default function Forgot() {
  const [sent, setSent] = useState(false);
  const { data: ways } = useWays();
  const none = ways?.mail === false;
  return (
    <AuthFrame
      title={t('auth.forgotTitle')}
      text={t(none ? 'auth.forgotNone' : sent ? 'auth.forgotSent' : 'auth.forgotText')}
    >
      {!none && !sent && (
        <AuthForm
          submit={t('auth.forgotSend')}
          onSubmit={async ({ email = '' }) => {
            await magpie.json('POST', '/api/auth/password/forgot', { body: { email } });
            setSent(true);
          }}
        >
          <Field label={t('auth.email')} name="email" type="email" autoComplete="email" required />
        </AuthForm>
      )}
      <div className="flex flex-wrap justify-between gap-2">
        <Link to="/login" className="rounded-md text-accent underline">
          {t('auth.back')}
        </Link>
        {!none && (
          <Link to="/reset" className="rounded-md text-accent underline">
            {t('auth.haveToken')}
          </Link>
        )}
      </div>
    </AuthFrame>
  );
}
