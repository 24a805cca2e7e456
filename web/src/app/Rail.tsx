/* The menu: a rail at the left, which scrolls where it is too short; on phones a bar below with those that are
 * used most, and the rest in a sheet. */
import { Link, useRouterState } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import { t } from '@/text';
import { cx } from '@/ui/cx';
import { Sheet } from '@/ui/Sheet';
import { menuOf, type PageSpec } from './page';
import { useUser } from './session';

/** How many have room on the narrowest phone with their whole names. */
const ROOM = 5;

const ENTRY =
  'flex min-h-14 min-w-0 flex-col items-center justify-center gap-1 rounded-md px-1 text-xs text-muted hover:bg-sunken';
const HERE = 'bg-accent-soft! text-text! font-medium';

function Entry({ page, className, onGo }: { page: PageSpec; className?: string; onGo?: () => void }) {
  return (
    <Link
      to={page.path}
      activeOptions={{ exact: page.path === '/', includeSearch: false }}
      className={cx(ENTRY, className)}
      activeProps={{ className: HERE }}
      {...(onGo ? { onClick: onGo } : {})}
    >
      {page.nav && <page.nav.icon size={20} aria-hidden className="shrink-0" />}
      <span className="max-w-full truncate">{t(page.title)}</span>
    </Link>
  );
}

export function Rail() {
  const list = menuOf(useUser());
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [open, setOpen] = useState(false);
  // A sheet for one entry would be in its way.
  const rest = list.length > ROOM ? list.filter((page) => !page.nav?.bar) : [];
  const here = rest.some((page) => path === page.path || path.startsWith(`${page.path}/`));
  return (
    <nav
      aria-label={t('app.pages')}
      className="order-last flex shrink-0 border-line bg-surface [scrollbar-width:thin] max-md:border-t md:order-first md:w-24 md:flex-col md:gap-1 md:overflow-x-hidden md:overflow-y-auto md:border-r md:p-2"
    >
      {list.map((page) => (
        <Entry
          key={page.path}
          page={page}
          className={cx('max-md:flex-1 md:shrink-0', rest.includes(page) && 'max-md:hidden')}
        />
      ))}
      {rest.length > 0 && (
        <button
          type="button"
          aria-haspopup="dialog"
          aria-expanded={open}
          onClick={() => setOpen(true)}
          className={cx(ENTRY, 'flex-1 md:hidden', here && HERE)}
        >
          <Ellipsis size={20} aria-hidden className="shrink-0" />
          <span className="max-w-full truncate">{t('shelf.more')}</span>
        </button>
      )}
      {open && (
        <Sheet title={t('shelf.morePages')} onClose={() => setOpen(false)}>
          <ul className="grid grid-cols-3 gap-2">
            {rest.map((page) => (
              <li key={page.path}>
                <Entry page={page} className="min-h-18 border border-line" onGo={() => setOpen(false)} />
              </li>
            ))}
          </ul>
        </Sheet>
      )}
    </nav>
  );
}
