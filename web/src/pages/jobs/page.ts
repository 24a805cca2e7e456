import { ListChecks } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/jobs',
  title: 'work.jobs.title',
  nav: { icon: ListChecks, order: 75, key: 'w' },
  load: () => import('./Jobs'),
};
