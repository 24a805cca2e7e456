import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/login',
  frame: 'plain',
  title: 'auth.welcome',
  load: () => import('./Login'),
};
