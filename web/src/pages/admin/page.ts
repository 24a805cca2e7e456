import { ShieldCheck } from 'lucide-react';
import type { PageSpec } from '@/app/page';

export const page: PageSpec = {
  path: '/admin',
  title: 'admin.menu',
  nav: { icon: ShieldCheck, order: 90, key: 'a' },
  may: (user) => user.role === 'admin',
  load: () => import('./Admin'),
};
