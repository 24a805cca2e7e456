/* What is being uploaded. It lives outside of pages: going elsewhere in the app stops nothing. */
import { MagpieError } from '@magpie/client';
import { describe, type Trouble } from '@/app/errors';
import { project } from '@/app/project';
import { router } from '@/app/router';
import { magpie } from '@/app/session';
import { toast } from '@/app/toasts';
import { store } from '@/lib/store';
import { t } from '@/text';
import { asking, matchOf, type Answer, type Match } from './gate';
import { carryOver, letGo, refresh } from './replace';

/** `asking`: the project has one that shows the same, and somebody must say what to do. */
export type Status = 'waiting' | 'sending' | 'asking' | 'added' | 'known' | 'skipped' | 'failed';

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
  match?: Match | undefined;
  answer?: Answer | undefined;
  /** Its bytes are with the service already, under this key. */
  key?: string | undefined;
}

export interface Queue {
  items: readonly Item[];
  paused: boolean;
  /** The answer to every further question, until all is done. */
  forAll?: Answer | undefined;
}

export const queue = store<Queue>({ items: [], paused: false });

/** From here on a file goes over a link of its own: nothing but its bytes is in the request, and they need not be
 * sent again when something is asked afterwards. */
const LARGE = 16_000_000;
/** What a link can be made for. */
const LINKED = /^image\/(jpeg|png|webp|gif|tiff|avif|heic)$/;

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
        ? { ...item, status: 'waiting', tries: 0, sent: 0, trouble: undefined, key: undefined }
        : item,
    ),
  });
  pump();
}

function answered(item: Item, answer: Answer): Item {
  return answer === 'skip'
    ? { ...item, status: 'skipped', answer }
    : { ...item, status: 'waiting', answer, sent: 0, tries: 0 };
}

/** What to do with one that the project has already, or with all of them: also those that are still to come. */
export function decide(id: number, answer: Answer, all: boolean): void {
  const now = queue.get();
  queue.set({
    ...now,
    forAll: all ? answer : now.forAll,
    items: now.items.map((item) =>
      item.status === 'asking' && (all || item.id === id) ? answered(item, answer) : item,
    ),
  });
  settle();
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
      .items.filter(({ status }) => status === 'added' || status === 'known' || status === 'skipped')
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

/** That the file lay in; '' where it was chosen alone. */
function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function take(item: Item, flight: AbortController) {
  const folder = folderOf(item.path);
  const options = {
    ...(folder ? { folder } : {}),
    ...(project.get() ? { project_id: project.get() } : {}),
    ...(item.answer ? { near_duplicates: 'keep' as const } : {}),
    ...(asking.get() && !item.answer ? { near_duplicates: 'refuse' as const } : {}),
    signal: flight.signal,
    onProgress: watchSpeed(item.id),
  };
  if (item.key) return magpie.ingest(item.key, options);
  const file = { name: item.file.name, data: item.file };
  if (item.file.size >= LARGE && LINKED.test(item.file.type))
    return magpie.uploadByLink(file, { ...options, onStored: (key) => patch(item.id, { key }) });
  return magpie.upload([file], options).then(({ images }) => images[0]);
}

// Old ones that were replaced; they go together, in one notice.
let replaced: number[] = [];

/** Whoever went elsewhere meanwhile does not see the questions. */
function remind(n: number): void {
  if (n === 0 || location.pathname === '/upload') return;
  const run = () => void router.navigate({ to: '/upload' });
  toast({ text: t('gate.open', { n }), action: { label: t('gate.look'), run }, lasts: 12_000 });
}

/** When nothing is on its way any more. */
function settle(): void {
  const now = queue.get();
  const open = (one: Item) => one.status === 'waiting' || one.status === 'sending';
  if (!now.items.some((one) => open(one) && one.answer === 'replace')) {
    letGo(replaced);
    replaced = [];
  }
  if (now.items.some(open)) return;
  refresh();
  remind(now.items.filter((one) => one.status === 'asking').length);
  if (now.forAll && !now.items.some((one) => one.status === 'asking'))
    queue.set({ ...now, forAll: undefined });
}

async function send(item: Item): Promise<void> {
  const flight = new AbortController();
  flights.set(item.id, flight);
  patch(item.id, { status: 'sending', sent: 0, tries: item.tries + 1 });
  try {
    const row = await take(item, flight);
    if (row && 'preview_url' in row) {
      const { id, preview_url, status } = row;
      if (item.answer === 'replace' && item.match && item.match.id !== id) {
        await carryOver(item.match.id, id);
        replaced.push(item.match.id);
      }
      patch(item.id, { status, sent: item.file.size, image: { id, preview_url } });
    } else patch(item.id, { status: 'added', sent: item.file.size });
  } catch (error) {
    const match = matchOf(error);
    if (flight.signal.aborted) patch(item.id, { status: 'waiting', sent: 0, tries: item.tries });
    else if (match) ask(item.id, match);
    else fail(item, error);
  }
  flights.delete(item.id);
  settle();
  pump();
}

function ask(id: number, match: Match): void {
  const now = queue.get();
  const asked = (item: Item): Item => ({ ...item, status: 'asking', match, sent: 0 });
  queue.set({
    ...now,
    items: now.items.map((item) =>
      item.id !== id ? item : now.forAll ? answered(asked(item), now.forAll) : asked(item),
    ),
  });
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
