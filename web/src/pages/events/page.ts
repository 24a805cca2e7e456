import { Activity } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/events',
  title: 'work.events.title',
  palette: Activity,
  load: () => import('./Events'),
};
