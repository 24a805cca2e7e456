import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/jobs/$id',
  title: 'work.job.single',
  load: () => import('./JobPage'),
};
