import { Tag } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/catalogue',
  title: 'catalogue.title',
  nav: { icon: Tag, order: 35, key: 'p' },
  load: () => import('./Catalogue'),
};
