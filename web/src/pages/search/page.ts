import { Search } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/search',
  title: 'nav.search',
  nav: { icon: Search, order: 30, key: 's', bar: true },
  load: () => import('./SearchPage'),
};
