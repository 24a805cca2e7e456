import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/account',
  title: 'account.title',
  load: () => import('./Account'),
};
