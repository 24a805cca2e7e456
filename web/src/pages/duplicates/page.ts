import { Copy } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/duplicates',
  title: 'duplicates.title',
  nav: { icon: Copy, order: 50, key: 'c' },
  load: () => import('./Duplicates'),
};
