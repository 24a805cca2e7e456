import { Orbit } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/explore',
  title: 'explore.nav',
  nav: { icon: Orbit, order: 60, key: 'e' },
  load: () => import('./Explore'),
};
