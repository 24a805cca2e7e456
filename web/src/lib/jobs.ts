/* Jobs in words, and how long they will still take. */
import type { Job } from '@magpie/client';
import { t, type TextKey } from '@/text';
import { secondsLeft } from './job';

export const STATUSES = ['queued', 'processing', 'completed', 'failed', 'cancelled', 'dead'] as const;

export const TYPES = [
  'export',
  'processing',
  'notification',
  'cleanup',
  'index_product',
  'batch_index_products',
  'reindex_all_products',
] as const;
const OPERATIONS = ['reindex', 'thumbnails', 'deduplicate', 'anomalies'] as const;

function known<T extends string>(list: readonly T[], word: unknown): word is T {
  return list.includes(word as T);
}

export function typeName(type: string): string {
  return known(TYPES, type) ? t(`work.job.type.${type}`) : type.replaceAll('_', ' ');
}

/** What it does, as a person would say it. */
export function titleOf({ type, params }: Pick<Job, 'type' | 'params'>): string {
  const operation = params['operation'];
  return type === 'processing' && known(OPERATIONS, operation)
    ? t(`work.job.operation.${operation}`)
    : typeName(type);
}

/** What it is about: the title or filter of its parameters, or where it reports to. */
export function aboutOf({ params }: Pick<Job, 'params'>): string {
  for (const name of ['title', 'where', 'url', 'to']) {
    const text = params[name];
    if (typeof text === 'string' && text !== '') return text;
  }
  return '';
}

export function leftWords(seconds: number): string {
  if (seconds < 90) return t('work.job.seconds', { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t('work.job.minutes', { n: Math.round(seconds / 60) });
  return t('work.job.hours', { n: Math.round(seconds / 3600) });
}

export function tookWords(seconds: number): string {
  if (seconds < 90) return t('work.job.took', { n: Math.max(1, Math.round(seconds)) });
  return t('work.job.tookMinutes', { n: Math.round(seconds / 60) });
}

/** Whether its time has not come yet. */
export function isDelayed({ status, run_at }: Pick<Job, 'status' | 'run_at'>): boolean {
  return status === 'queued' && run_at !== null && Date.parse(run_at) > Date.now() + 1000;
}

/** Tells time left of many jobs that are looked at now and then. Counts from the first look that saw it going on. */
export class Pace {
  readonly #first = new Map<number, { at: number; done: number; attempts: number }>();

  left(job: Pick<Job, 'id' | 'status' | 'progress' | 'attempts'>, now: number): number | undefined {
    const { done, total } = job.progress;
    if (job.status !== 'processing' || done === 0) {
      this.#first.delete(job.id);
      return undefined;
    }
    const first = this.#first.get(job.id);
    if (first && first.attempts === job.attempts && first.done <= done)
      return secondsLeft(first, now, done, total);
    this.#first.set(job.id, { at: now, done, attempts: job.attempts });
    return undefined;
  }
}

type Hint = { readonly test: RegExp; readonly next: TextKey };

// The service tells what; these say what a person can do about it.
const HINTS: readonly Hint[] = [
  { test: /no mail server/i, next: 'work.job.next.mail' },
  {
    test: /resolve|address|connect|refused|timed? ?out|unreachable|answered \d|host/i,
    next: 'work.job.next.far',
  },
  { test: /space|disk|full/i, next: 'work.job.next.full' },
  { test: /too long/i, next: 'work.job.next.smaller' },
  { test: /filter|params|invalid/i, next: 'work.job.next.input' },
];

/** What to do about a job that did not end well. */
export function nextStep({ status, error }: Pick<Job, 'status' | 'error'>): string {
  const hint = HINTS.find(({ test }) => test.test(error));
  return t(hint?.next ?? (status === 'dead' ? 'work.job.next.dead' : 'work.job.next.failed'));
}
