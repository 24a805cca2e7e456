import { Images } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/library',
  title: 'nav.library',
  nav: { icon: Images, order: 20, key: 'l', bar: true },
  load: () => import('./Library'),
};
