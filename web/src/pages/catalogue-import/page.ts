import type { PageSpec } from '@/app/page';
import { mayWrite } from '@/app/session';

export const page: PageSpec = {
  path: '/catalogue/import',
  title: 'catalogue.import.title',
  may: mayWrite,
  load: () => import('./ImportPage'),
};
