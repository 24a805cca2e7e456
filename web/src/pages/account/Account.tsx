/* What is one's own: name and role, how things look, the password, where one is signed in, keys for programs. */
import { CircleUser } from 'lucide-react';
import { useUser } from '@/app/session';
import { chooseTheme, theme, type Theme } from '@/app/theme';
import { useStore } from '@/lib/store';
import { chooseLanguage, currentLanguage, date, LANGUAGES, t, type Language } from '@/text';
import { Page } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import { Keys } from './Keys';
import { Part } from './Part';
import { Password } from './Password';
import { Sessions } from './Sessions';

function Looks() {
  const chosen = useStore(theme);
  return (
    <Part title={t('account.looks')}>
      <div className="flex flex-wrap gap-x-8 gap-y-3">
        <div className="flex flex-col gap-1">
          <span aria-hidden className="font-medium">
            {t('nav.theme')}
          </span>
          <Segments<Theme>
            label={t('nav.theme')}
            value={chosen}
            options={[
              { value: 'system', text: t('nav.themeSystem') },
              { value: 'light', text: t('nav.themeLight') },
              { value: 'dark', text: t('nav.themeDark') },
            ]}
            onChange={chooseTheme}
          />
        </div>
        <div className="flex flex-col gap-1">
          <span aria-hidden className="font-medium">
            {t('nav.language')}
          </span>
          <Segments<Language>
            label={t('nav.language')}
            value={currentLanguage()}
            options={(Object.entries(LANGUAGES) as [Language, string][]).map(([value, text]) => ({
              value,
              text,
            }))}
            onChange={chooseLanguage}
          />
        </div>
      </div>
    </Part>
  );
}

export default function Account() {
  const user = useUser();
  if (!user) return null;
  return (
    <Page title={t('account.title')} narrow>
      <div className="flex items-center gap-4">
        <CircleUser size={48} strokeWidth={1.25} aria-hidden className="shrink-0 text-muted" />
        <div className="min-w-0">
          <p className="truncate text-lg font-semibold">{user.username}</p>
          <p className="truncate text-muted">
            {t(`nav.role.${user.role}`)} · {user.email || t('account.noEmail')} ·{' '}
            {t('account.since', { when: date(user.created_at * 1000, { dateStyle: 'medium' }) })}
          </p>
        </div>
      </div>
      <Looks />
      <Password />
      <Sessions />
      <Keys role={user.role} />
    </Page>
  );
}
