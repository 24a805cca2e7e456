/* What happened, as it is kept here: the newest first, each once. */
import type { MagpieEvent } from '@magpie/client';
import { t, type TextKey } from '@/text';

const WORDS: Record<string, TextKey> = {
  'image.added': 'work.event.imageAdded',
  'image.changed': 'work.event.imageChanged',
  'image.tagged': 'work.event.imageTagged',
  'image.described': 'work.event.imageDescribed',
  'image.moved': 'work.event.imageMoved',
  'image.removed': 'work.event.imageRemoved',
  'image.trashed': 'work.event.imageTrashed',
  'image.restored': 'work.event.imageRestored',
  'job.completed': 'work.event.jobCompleted',
  'job.failed': 'work.event.jobFailed',
  'job.cancelled': 'work.event.jobCancelled',
  'job.dead': 'work.event.jobDead',
};

/** In words, where there are some; else as the service calls it. */
export function wordsOf({ type, subject }: Pick<MagpieEvent, 'type' | 'subject'>): string {
  const key = WORDS[type];
  return key ? t(key, { id: subject }) : `${type} ${subject}`.trim();
}

/** Where the thing is that it happened to; undefined where nothing is left of it. */
export function placeOf({ type, subject }: Pick<MagpieEvent, 'type' | 'subject'>): string | undefined {
  if (!/^[1-9]\d*$/.test(subject)) return undefined;
  if (type.startsWith('job.')) return `/jobs/${subject}`;
  const gone = type === 'image.removed' || type === 'image.trashed';
  return type.startsWith('image.') && !gone ? `/images/${subject}` : undefined;
}

/** The newest first, each once; `most` are kept. */
export function merged(
  old: readonly MagpieEvent[],
  fresh: readonly MagpieEvent[],
  most = Infinity,
): readonly MagpieEvent[] {
  const known = new Set(old.map((one) => one.id));
  const more = fresh.filter((one) => !known.has(one.id));
  return more.length ? [...old, ...more].sort((a, b) => b.id - a.id).slice(0, most) : old;
}
