/* The job that gives products their pictures. This browser remembers it, so that a reload does not lose it. */
import type { Job } from '@magpie/client';
import { magpie } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { store } from '@/lib/store';
import { t } from '@/text';
import { changed } from './products';

const STORED = 'magpie.catalogue.job';
export const task = store<number>(Number(localStorage.getItem(STORED) ?? 0) || 0);

export function follow(id: number): void {
  task.set(id);
  if (id) localStorage.setItem(STORED, String(id));
  else localStorage.removeItem(STORED);
}

export async function start(path: string, body: object): Promise<void> {
  try {
    const { job_id } = await magpie.json<{ job_id: number }>('POST', path, { body });
    follow(job_id);
    changed();
  } catch (error) {
    toastError(error);
  }
}

interface Result {
  indexed?: number | boolean;
  failed?: number;
}

function tell({ status, error, result }: Job): void {
  const { indexed = 0, failed = 0 } = (result ?? {}) as Result;
  if (status === 'completed')
    toast({
      text: failed
        ? t('catalogue.task.someFailed', { n: Number(indexed), failed })
        : t('catalogue.task.done', { n: Number(indexed) }),
    });
  else if (status === 'cancelled') toast({ text: t('catalogue.task.cancelled') });
  else if (status === 'failed' || status === 'dead')
    toast({ text: t('catalogue.task.failed', { error }), kind: 'error', lasts: 12_000 });
}

/** It ended, or there is none of this number any more. */
export async function over(id: number): Promise<void> {
  if (task.get() !== id) return;
  follow(0);
  changed();
  await magpie.getJob(id).then(tell, () => undefined);
}
