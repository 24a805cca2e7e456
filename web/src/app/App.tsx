import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { CloudOff } from 'lucide-react';
import { useEffect } from 'react';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Toasts } from '@/ui/Toasts';
import { listen } from './keys';
import { router } from './router';
import { queries, resume, useSession } from './session';

function Unreachable() {
  // It comes back by itself: a service that is restarted is not away for long.
  useEffect(() => {
    const timer = setInterval(() => void resume(), 3000);
    return () => clearInterval(timer);
  }, []);
  return (
    <main>
      <Empty main icon={CloudOff} title={t('app.name')} text={t('app.offline')}>
        <Button onClick={() => void resume()}>{t('app.retry')}</Button>
      </Empty>
    </main>
  );
}

export function App() {
  const { status } = useSession();
  useEffect(listen, []);
  if (status === 'unknown') return null;
  return (
    <QueryClientProvider client={queries}>
      {status === 'unreachable' ? <Unreachable /> : <RouterProvider router={router} />}
      <Toasts />
    </QueryClientProvider>
  );
}
