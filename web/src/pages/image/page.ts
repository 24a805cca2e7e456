import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/images/$id',
  title: 'viewer.label',
  load: () => import('./ImagePage'),
};
