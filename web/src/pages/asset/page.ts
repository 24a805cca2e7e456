import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/projects/$id/assets/$asset',
  title: 'work.asset.title',
  load: () => import('./AssetPage'),
};
