/* What is being uploaded. It lives outside of pages: going elsewhere in the app stops nothing. */
import { MagpieError } from '@magpie/client';
import { describe, type Trouble } from '@/app/errors';
import { project } from '@/app/project';
import { magpie, queries } from '@/app/session';
import { store } from '@/lib/store';

export type Status = 'waiting' | 'sending' | 'added' | 'known' | 'failed';

export interface Item {
  id: number;
  file: File;
  /** With its folders. */
  path: string;
  status: Status;
  sent: number;
  /** Bytes per second, of late. */
  speed: number;
  tries: number;
  trouble?: Trouble | undefined;
  image?: { id: number; preview_url: string } | undefined;
}

export interface Queue {
  items: readonly Item[];
  paused: boolean;
}

export const queue = store<Queue>({ items: [], paused: false });

const AT_ONCE = 3;
const TRIES = 4;
const flights = new Map<number, AbortController>();
let last = 0;
let resting = 0;

function patch(id: number, change: Partial<Item>): void {
  const now = queue.get();
  queue.set({ ...now, items: now.items.map((item) => (item.id === id ? { ...item, ...change } : item)) });
}

export interface Found {
  file: File;
  path: string;
}

export function enqueue(found: readonly Found[]): void {
  const fresh = found.map(
    ({ file, path }): Item => ({ id: ++last, file, path, status: 'waiting', sent: 0, speed: 0, tries: 0 }),
  );
  const now = queue.get();
  queue.set({ ...now, items: [...now.items, ...fresh] });
  pump();
}

export function pause(paused: boolean): void {
  queue.set({ ...queue.get(), paused });
  if (paused) for (const flight of flights.values()) flight.abort();
  else pump();
}

export function retry(ids?: readonly number[]): void {
  const now = queue.get();
  queue.set({
    ...now,
    items: now.items.map((item) =>
      item.status === 'failed' && (ids?.includes(item.id) ?? true)
        ? { ...item, status: 'waiting', tries: 0, sent: 0, trouble: undefined }
        : item,
    ),
  });
  pump();
}

/** Takes them out of the list; one that is on its way is stopped. */
export function cancel(ids: readonly number[]): void {
  const gone = new Set(ids);
  const now = queue.get();
  queue.set({ ...now, items: now.items.filter((item) => !gone.has(item.id)) });
  for (const id of ids) flights.get(id)?.abort();
  pump();
}

export function clearDone(): void {
  cancel(
    queue
      .get()
      .items.filter((item) => item.status === 'added' || item.status === 'known')
      .map((item) => item.id),
  );
}

function pump(): void {
  const now = queue.get();
  if (now.paused || Date.now() < resting) return;
  for (const item of now.items) {
    if (flights.size >= AT_ONCE) return;
    if (item.status === 'waiting' && !flights.has(item.id)) void send(item);
  }
}

/** The service asks for a pause, or is away: everybody waits. */
function rest(seconds: number): void {
  resting = Date.now() + seconds * 1000;
  setTimeout(pump, seconds * 1000 + 10);
}

function watchSpeed(id: number) {
  let begun = performance.now();
  let before = 0;
  let shown = 0;
  return (sent: number) => {
    const now = performance.now();
    // The list is not drawn more often than anybody can read it.
    if (now - shown < 120) return;
    shown = now;
    const speed = ((sent - before) / (now - begun)) * 1000;
    if (now - begun > 1000) [begun, before] = [now, sent];
    patch(id, { sent, ...(speed > 0 ? { speed } : {}) });
  };
}

async function send(item: Item): Promise<void> {
  const flight = new AbortController();
  flights.set(item.id, flight);
  patch(item.id, { status: 'sending', sent: 0, tries: item.tries + 1 });
  try {
    const answer = await magpie.upload([{ name: item.file.name, data: item.file }], {
      ...(project.get() ? { project_id: project.get() } : {}),
      signal: flight.signal,
      onProgress: watchSpeed(item.id),
    });
    const [row] = answer.images;
    if (row && 'preview_url' in row)
      patch(item.id, {
        status: row.status,
        sent: item.file.size,
        image: { id: row.id, preview_url: row.preview_url },
      });
    else patch(item.id, { status: 'added', sent: item.file.size });
  } catch (error) {
    if (flight.signal.aborted) patch(item.id, { status: 'waiting', sent: 0, tries: item.tries });
    else fail(item, error);
  }
  flights.delete(item.id);
  const { items } = queue.get();
  if (items.every((one) => one.status !== 'waiting' && one.status !== 'sending'))
    for (const key of ['timeline', 'stats', 'recent']) void queries.invalidateQueries({ queryKey: [key] });
  pump();
}

function fail(item: Item, error: unknown): void {
  const status = error instanceof MagpieError ? error.status : 0;
  const passes = status === 0 || status === 429 || status === 503;
  if (passes && item.tries + 1 < TRIES) {
    rest((error instanceof MagpieError ? error.retryAfter : undefined) ?? 2 ** item.tries);
    // To be told to slow down is no failed try.
    patch(item.id, { status: 'waiting', sent: 0, tries: status === 429 ? item.tries : item.tries + 1 });
  } else patch(item.id, { status: 'failed', trouble: describe(error) });
}

// Leaving the page would stop what is on its way.
addEventListener('beforeunload', (event) => {
  if (flights.size > 0) event.preventDefault();
});
