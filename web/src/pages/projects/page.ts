import { FolderTree } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/projects',
  title: 'work.projects.title',
  nav: { icon: FolderTree, order: 70, key: 'j' },
  load: () => import('./Projects'),
};
