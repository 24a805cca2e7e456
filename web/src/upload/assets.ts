/* Files of any type on their way into projects. As the queue of pictures, it lives outside of pages: going elsewhere
 * in the app stops nothing. */
import { MagpieError, type components } from '@magpie/client';
import { describe, type Trouble } from '@/app/errors';
import { magpie, queries } from '@/app/session';
import { store } from '@/lib/store';
import { isPicture } from './files';

/** The picture of the project that shows the same. */
export type Match = components['schemas']['Match'];

export interface Sending {
  id: number;
  project: number;
  /** What it is to be; empty: the service looks. */
  type: string;
  file: File;
  /** 'copy': the project refuses it, for it shows what `match` shows; somebody has to decide. */
  status: 'waiting' | 'sending' | 'added' | 'known' | 'copy' | 'failed';
  sent: number;
  tries: number;
  asset?: number;
  trouble?: Trouble | undefined;
  match?: Match | undefined;
  /** Taken in although it shows the same. */
  keep?: boolean;
}

export const sendings = store<readonly Sending[]>([]);

const AT_ONCE = 2;
const TRIES = 4;
const flights = new Map<number, AbortController>();
let last = 0;
let resting = 0;

function patch(id: number, change: Partial<Sending>): void {
  sendings.set(sendings.get().map((one) => (one.id === id ? { ...one, ...change } : one)));
}

export function isOpen({ status }: Sending): boolean {
  return status === 'waiting' || status === 'sending';
}

export function sendFiles(project: number, type: string, files: readonly File[]): void {
  const fresh = files.map(
    (file): Sending => ({ id: ++last, project, type, file, status: 'waiting', sent: 0, tries: 0 }),
  );
  sendings.set([...sendings.get(), ...fresh]);
  pump();
}

/** Takes them out of the list; one that is on its way is stopped. */
export function drop(ids: readonly number[]): void {
  sendings.set(sendings.get().filter((one) => !ids.includes(one.id)));
  for (const id of ids) flights.get(id)?.abort();
  pump();
}

export function keepBoth(ids: readonly number[]): void {
  for (const id of ids) patch(id, { status: 'waiting', sent: 0, tries: 0, match: undefined, keep: true });
  pump();
}

export function again(ids: readonly number[]): void {
  for (const id of ids) patch(id, { status: 'waiting', sent: 0, tries: 0, trouble: undefined });
  pump();
}

function pump(): void {
  if (Date.now() < resting) return;
  for (const one of sendings.get()) {
    if (flights.size >= AT_ONCE) return;
    if (one.status === 'waiting' && !flights.has(one.id)) void send(one);
  }
}

interface Taken {
  id: number;
  status: 'added' | 'known';
}

interface Flight {
  signal: AbortSignal;
  onProgress: (sent: number) => void;
}

async function asAsset({ project, type, file }: Sending, flight: Flight): Promise<Taken | undefined> {
  const options = { ...(type ? { type } : {}), ...flight };
  const { assets } = await magpie.addAssets(project, [{ name: file.name, data: file }], options);
  return assets.find((row) => 'id' in row);
}

/** Pictures go the way of pictures: it holds them against those that are there, where the project wants that. */
async function take(one: Sending, flight: Flight): Promise<Taken | undefined> {
  const picture = (one.type === '' || one.type === 'image') && isPicture(one.file);
  if (!picture || one.keep) return asAsset(one, flight);
  try {
    const options = { project_id: one.project, ...flight };
    const { images } = await magpie.upload([{ name: one.file.name, data: one.file }], options);
    return images.find((row) => 'id' in row);
  } catch (error) {
    // It calls itself a picture, and is none that is known here.
    if (error instanceof MagpieError && error.status === 415 && one.type === '') return asAsset(one, flight);
    throw error;
  }
}

function matchOf(error: unknown): Match | undefined {
  if (!(error instanceof MagpieError) || error.status !== 409) return undefined;
  const { body } = error;
  return typeof body === 'object' && body !== null && 'match' in body ? (body.match as Match) : undefined;
}

async function send(one: Sending): Promise<void> {
  const flight = new AbortController();
  flights.set(one.id, flight);
  patch(one.id, { status: 'sending', sent: 0, tries: one.tries + 1 });
  let shown = 0;
  try {
    const row = await take(one, {
      signal: flight.signal,
      onProgress: (sent) => {
        // The list is not drawn more often than anybody can read it.
        if (performance.now() - shown < 120) return;
        shown = performance.now();
        patch(one.id, { sent });
      },
    });
    if (row) patch(one.id, { status: row.status, sent: one.file.size, asset: row.id });
  } catch (error) {
    const match = matchOf(error);
    if (match) patch(one.id, { status: 'copy', match });
    else if (!flight.signal.aborted) fail(one, error);
  }
  flights.delete(one.id);
  if (!sendings.get().some((other) => other.project === one.project && isOpen(other)))
    for (const key of [['assets', one.project], ['projects'], ['timeline'], ['stats'], ['recent']])
      void queries.invalidateQueries({ queryKey: key });
  pump();
}

function fail(one: Sending, error: unknown): void {
  const status = error instanceof MagpieError ? error.status : 0;
  const passes = status === 0 || status === 429 || status === 503;
  if (!passes || one.tries + 1 >= TRIES) {
    patch(one.id, { status: 'failed', trouble: describe(error) });
    return;
  }
  // The service asks for a pause, or is away: everybody waits.
  const seconds = (error instanceof MagpieError ? error.retryAfter : undefined) ?? 2 ** one.tries;
  resting = Date.now() + seconds * 1000;
  setTimeout(pump, seconds * 1000 + 10);
  patch(one.id, { status: 'waiting', sent: 0, tries: status === 429 ? one.tries : one.tries + 1 });
}

// Leaving the page would stop what is on its way.
addEventListener('beforeunload', (event) => {
  if (flights.size > 0) event.preventDefault();
});
