import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/forgot',
  frame: 'plain',
  title: 'auth.forgotTitle',
  load: () => import('./Forgot'),
};
