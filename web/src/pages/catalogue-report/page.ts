import type { PageSpec } from '@/app/page';
import { mayReadLogs } from '@/pages/catalogue/may';

export const page: PageSpec = {
  path: '/catalogue/searches',
  title: 'catalogue.report.title',
  may: mayReadLogs,
  load: () => import('./ReportPage'),
};
