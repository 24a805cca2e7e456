/* The frame around every page of somebody who is signed in: the menu at the left (below, on phones), the field for
 * words, the project, the account. */
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { CircleUser, Code, FolderTree, Keyboard, LogOut, Search, UserCog } from 'lucide-react';
import { lazy, Suspense, useRef, useState } from 'react';
import { useStore } from '@/lib/store';
import { chooseLanguage, currentLanguage, LANGUAGES, t, type Language } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Menu, MenuChoice, MenuItem, MenuLine } from '@/ui/Menu';
import { Expired } from './Expired';
import { useShortcuts } from './keys';
import { menuOf } from './page';
import { chooseProject, project, useProjects } from './project';
import { Rail } from './Rail';
import { signOut, useSession, useUser } from './session';
import { chooseTheme, theme, type Theme } from './theme';

const Palette = lazy(() => import('./Palette'));
const KeySheet = lazy(() => import('./KeySheet'));

function SearchField({ field }: { field: React.RefObject<HTMLInputElement | null> }) {
  const navigate = useNavigate();
  const here = useRouterState({ select: (state) => state.location });
  const asked = here.pathname === '/search' ? ((here.search as Record<string, string>)['q'] ?? '') : '';
  return (
    <form
      role="search"
      className="relative min-w-0 flex-1 md:max-w-xl"
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({ to: '/search', search: { q: field.current?.value ?? '' } });
      }}
    >
      <Search
        size={16}
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-muted"
      />
      <input
        key={asked}
        ref={field}
        type="search"
        name="q"
        defaultValue={asked}
        aria-label={t('nav.searchField')}
        placeholder={t('nav.searchField')}
        title={t('nav.searchHint')}
        autoComplete="off"
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
        className="min-h-9 w-full rounded-md border border-line-strong bg-bg pr-2 pl-9 placeholder:text-muted pointer-coarse:min-h-11"
      />
    </form>
  );
}

function ProjectSwitch() {
  const { data } = useProjects();
  const chosen = useStore(project);
  if (!data || data.length < 2) return null;
  const name = data.find((one) => one.id === chosen)?.name ?? t('nav.allProjects');
  return (
    <Menu
      trigger={
        <Button
          look="quiet"
          icon={FolderTree}
          aria-label={`${t('nav.project')}: ${name}`}
          className="max-w-48 max-md:px-2"
        >
          <span className="truncate max-md:hidden">{name}</span>
        </Button>
      }
    >
      <MenuChoice
        label={t('nav.project')}
        value={String(chosen)}
        options={[['0', t('nav.allProjects')], ...data.map((one) => [String(one.id), one.name] as const)]}
        onChange={(id) => chooseProject(Number(id))}
      />
    </Menu>
  );
}

function Account({ onKeys }: { onKeys: () => void }) {
  const navigate = useNavigate();
  const user = useUser();
  const chosen = useStore(theme);
  if (!user) return null;
  return (
    <Menu
      trigger={
        <Button
          look="quiet"
          icon={CircleUser}
          aria-label={t('nav.account', { name: user.username })}
          className="max-w-40 max-md:px-2"
        >
          <span className="truncate max-md:hidden">{user.username}</span>
        </Button>
      }
    >
      <div className="px-2 py-1">
        <p className="truncate font-medium">{user.username}</p>
        <p className="text-muted">{t(`nav.role.${user.role}`)}</p>
      </div>
      <MenuItem icon={UserCog} onSelect={() => void navigate({ to: '/account' })}>
        {t('account.title')}
      </MenuItem>
      <MenuLine />
      <MenuChoice<Theme>
        label={t('nav.theme')}
        value={chosen}
        options={[
          ['system', t('nav.themeSystem')],
          ['light', t('nav.themeLight')],
          ['dark', t('nav.themeDark')],
        ]}
        onChange={chooseTheme}
      />
      <MenuLine />
      <MenuChoice<Language>
        label={t('nav.language')}
        value={currentLanguage()}
        options={Object.entries(LANGUAGES) as [Language, string][]}
        onChange={chooseLanguage}
      />
      <MenuLine />
      <MenuItem icon={Keyboard} onSelect={onKeys}>
        {t('nav.shortcuts')}
      </MenuItem>
      <MenuItem icon={Code} onSelect={() => window.open('/docs', '_blank', 'noopener')}>
        {t('nav.interface')}
      </MenuItem>
      <MenuItem icon={LogOut} onSelect={() => void signOut()}>
        {t('nav.logout')}
      </MenuItem>
    </Menu>
  );
}

export default function Shell() {
  const navigate = useNavigate();
  const user = useUser();
  const status = useSession().status;
  const field = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState<'palette' | 'keys' | null>(null);
  useShortcuts([
    { keys: '/', label: t('keys.search'), everywhere: true, run: () => field.current?.select() },
    { keys: 'ctrl+k', label: t('keys.palette'), everywhere: true, run: () => setOpen('palette') },
    { keys: '?', label: t('keys.sheet'), everywhere: true, run: () => setOpen('keys') },
    ...menuOf(user).map((page) => ({
      keys: `g ${page.nav?.key ?? ''}`,
      label: t('keys.goTo', { page: t(page.title) }),
      everywhere: true,
      run: () => void navigate({ to: page.path }),
    })),
  ]);
  return (
    <div className="flex h-full flex-col">
      <a
        href="#main"
        className="absolute top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent px-4 py-2 text-on-accent focus:translate-y-0"
      >
        {t('app.skip')}
      </a>
      <header className="flex h-14 shrink-0 items-center gap-2 border-b border-line bg-surface px-3">
        <Link
          to="/"
          className="flex items-center gap-2 rounded-md pr-2 font-semibold"
          aria-label={t('app.name')}
        >
          <img src="/icon.svg" alt="" width={28} height={28} />
          <span className="max-md:hidden">{t('app.name')}</span>
        </Link>
        <SearchField field={field} />
        <div className="ml-auto flex shrink-0">
          <ProjectSwitch />
          <Account onKeys={() => setOpen('keys')} />
        </div>
      </header>
      <div className="flex min-h-0 flex-1 flex-col md:flex-row">
        <Rail />
        <main id="main" tabIndex={-1} className={cx('min-h-0 min-w-0 flex-1 outline-none')}>
          <Outlet />
        </main>
      </div>
      <Suspense>
        {open === 'palette' && <Palette onClose={() => setOpen(null)} onKeys={() => setOpen('keys')} />}
        {open === 'keys' && <KeySheet onClose={() => setOpen(null)} />}
      </Suspense>
      {status === 'expired' && <Expired />}
    </div>
  );
}
