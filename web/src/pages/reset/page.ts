import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/reset',
  frame: 'plain',
  title: 'auth.resetTitle',
  load: () => import('./Reset'),
};
