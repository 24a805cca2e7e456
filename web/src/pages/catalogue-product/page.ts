import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/catalogue/$id',
  title: 'catalogue.product',
  load: () => import('./ProductPage'),
};
