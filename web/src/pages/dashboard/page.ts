import { LayoutDashboard } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/',
  title: 'nav.dashboard',
  nav: { icon: LayoutDashboard, order: 10, key: 'd', bar: true },
  load: () => import('./Dashboard'),
};
