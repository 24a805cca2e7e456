import { ScanSearch } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/anomalies',
  title: 'anomalies.title',
  nav: { icon: ScanSearch, order: 55, key: 'o' },
  load: () => import('./Anomalies'),
};
