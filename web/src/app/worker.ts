/* The service worker: what was seen opens without a network, and a new version waits until it is asked for. */
import { t } from '@/text';
import { toast } from './toasts';

function offer(worker: ServiceWorker): void {
  const run = () => worker.postMessage('update');
  toast({ text: t('app.updateReady'), action: { label: t('app.updateNow'), run }, lasts: undefined });
}

export async function startWorker(): Promise<void> {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return;
  const updating = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (updating) location.reload();
  });
  const registration = await navigator.serviceWorker.register('/sw.js');
  if (registration.waiting && updating) offer(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const fresh = registration.installing;
    fresh?.addEventListener('statechange', () => {
      if (fresh.state === 'installed' && navigator.serviceWorker.controller) offer(fresh);
    });
  });
}
