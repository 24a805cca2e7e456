/* What administrators look after: who may come in, what was done, what the service runs with. What is looked at is in
 * the address. */
import { Link, useNavigate } from '@tanstack/react-router';
import { Activity, Cpu, KeyRound, MailPlus, ScrollText, Settings2, Users as UsersIcon } from 'lucide-react';
import { useEffect, useRef, type ComponentType } from 'react';
import { useShortcuts } from '@/app/keys';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { cx } from '@/ui/cx';
import { Page } from '@/ui/Page';
import { Audit } from './Audit';
import { Health } from './Health';
import { Invites } from './Invites';
import { Models } from './Models';
import { Roles } from './Roles';
import { Settings } from './Settings';
import { Users } from './Users';

const TABS = [
  { name: 'users', icon: UsersIcon, show: Users },
  { name: 'invites', icon: MailPlus, show: Invites },
  { name: 'roles', icon: KeyRound, show: Roles },
  { name: 'audit', icon: ScrollText, show: Audit },
  { name: 'models', icon: Cpu, show: Models },
  { name: 'settings', icon: Settings2, show: Settings },
  { name: 'health', icon: Activity, show: Health },
] as const satisfies readonly { name: string; icon: unknown; show: ComponentType }[];

export default function Admin() {
  const [url] = useUrl();
  const navigate = useNavigate();
  const tab = TABS.find((one) => one.name === url['tab']) ?? TABS[0];
  // On phones not all of them fit.
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    const show = () =>
      list.current
        ?.querySelector('[aria-current=page]')
        ?.scrollIntoView({ block: 'nearest', inline: 'center' });
    show();
    addEventListener('resize', show);
    return () => removeEventListener('resize', show);
  }, [tab.name]);
  const search = (name: string) => (name === TABS[0].name ? {} : { tab: name });
  useShortcuts(
    TABS.map(({ name }, i) => ({
      keys: String(i + 1),
      label: t(`admin.tab.${name}`),
      run: () => void navigate({ to: '/admin', search: search(name) }),
    })),
  );
  return (
    <Page title={t('admin.title')}>
      <nav
        ref={list}
        aria-label={t('admin.parts')}
        className="-mx-4 flex gap-1 overflow-x-auto border-b border-line px-4 md:mx-0 md:px-0"
      >
        {TABS.map(({ name, icon: Icon }) => (
          <Link
            key={name}
            to="/admin"
            search={search(name)}
            activeOptions={{ exact: true }}
            aria-current={tab.name === name ? 'page' : undefined}
            className={cx(
              '-mb-px inline-flex min-h-11 shrink-0 items-center gap-2 border-b-2 px-3 -outline-offset-2',
              tab.name === name
                ? 'border-accent font-medium'
                : 'border-transparent text-muted hover:text-text',
            )}
          >
            <Icon size={16} aria-hidden />
            {t(`admin.tab.${name}`)}
          </Link>
        ))}
      </nav>
      <div className="flex flex-col gap-4">
        <tab.show />
      </div>
    </Page>
  );
}
