import { Upload } from 'lucide-react';
import type { PageSpec } from '@/app/page';
import { mayWrite } from '@/app/session';

export const page: PageSpec = {
  path: '/upload',
  title: 'nav.upload',
  nav: { icon: Upload, order: 40, key: 'u', bar: true },
  may: mayWrite,
  load: () => import('./UploadPage'),
};
