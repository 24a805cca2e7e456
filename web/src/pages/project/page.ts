import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/projects/$id',
  title: 'work.projects.single',
  load: () => import('./ProjectPage'),
};
