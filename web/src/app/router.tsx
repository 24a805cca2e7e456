/* The routes, made of what the folders of src/pages say. Every page is a file of its own, fetched when it is opened;
 * parameters in the address are plain text. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  Outlet,
  redirect,
  useRouter,
  type AnyRoute,
  type ErrorComponentProps,
} from '@tanstack/react-router';
import { Compass, Lock, RefreshCw } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { useTitle } from '@/ui/Page';
import { pages, type PageSpec } from './page';
import { session, useUser } from './session';

function Missing() {
  useTitle(t('app.notFound'));
  return (
    <main>
      <Empty main icon={Compass} title={t('app.notFound')} text={t('app.notFoundHint')}>
        <Link to="/" className="font-medium text-accent underline">
          {t('app.home')}
        </Link>
      </Empty>
    </main>
  );
}

function NotAllowed() {
  useTitle(t('app.notAllowed'));
  return (
    <Empty main icon={Lock} title={t('app.notAllowed')} text={t('app.notAllowedHint')}>
      <Link to="/" className="font-medium text-accent underline">
        {t('app.home')}
      </Link>
    </Empty>
  );
}

/** Also of a page whose file is gone since a new version was put in place. */
function Broken({ reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Empty main icon={RefreshCw} title={t('error.page')} text={t('error.pageHint')}>
      <Button
        look="primary"
        onClick={() => {
          reset();
          void router.invalidate();
          location.reload();
        }}
      >
        {t('error.reload')}
      </Button>
    </Empty>
  );
}

const root = createRootRoute({ component: Outlet, notFoundComponent: Missing, errorComponent: Broken });

const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  component: lazyRouteComponent(() => import('./Shell')),
  beforeLoad: ({ location }) => {
    if (session.get().status === 'out')
      // The router's way to go elsewhere is to throw.
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw redirect({ to: '/login', search: { return: location.href } });
  },
});

/** The page, for those who may see it; asked anew with everybody who signs in. */
function guarded(page: PageSpec) {
  const { may } = page;
  if (!may) return lazyRouteComponent(page.load);
  const Content = lazy(page.load);
  const Guarded = () => {
    const user = useUser();
    return user === null || may(user) ? (
      <Suspense>
        <Content />
      </Suspense>
    ) : (
      <NotAllowed />
    );
  };
  const preload = async () => void (await page.load());
  return Object.assign(Guarded, { preload });
}

function routeOf(page: PageSpec): AnyRoute {
  return createRoute({
    getParentRoute: () => (page.frame === 'plain' ? root : frame),
    path: page.path,
    component: guarded(page),
  });
}

const plain = pages.filter((page) => page.frame === 'plain').map(routeOf);
const framed = pages.filter((page) => page.frame !== 'plain').map(routeOf);

export const router = createRouter({
  routeTree: root.addChildren([frame.addChildren(framed), ...plain]),
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
    const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
    return text && `?${text}`;
  },
});

// Whoever signs out, in this tab or by way of another, leaves the pages that need a user.
session.subscribe(() => {
  if (session.get().status === 'out') void router.invalidate();
});
