import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/setup',
  frame: 'plain',
  title: 'auth.setup',
  load: () => import('./Setup'),
};
