import { t } from '@/text';
import { Page } from '@/ui/Page';

export default function Dashboard() {
  return <Page title={t('nav.dashboard')}>{null}</Page>;
}
