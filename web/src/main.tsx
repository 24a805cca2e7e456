import './main.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadLanguage } from '@/text';

/** Words first: modules name some of them as they are loaded. */
async function start(place: HTMLElement): Promise<void> {
  await loadLanguage();
  const [{ App }, { resume }, { startWorker }] = await Promise.all([
    import('@/app/App'),
    import('@/app/session'),
    import('@/app/worker'),
  ]);
  void resume();
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  await startWorker().catch(() => undefined); // not over plain HTTP but on this machine: then without
}

const place = document.getElementById('root');
if (place) void start(place);
