import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/register',
  frame: 'plain',
  title: 'auth.register',
  load: () => import('./Register'),
};
