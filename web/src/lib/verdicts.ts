/* What people said of pictures, and saying it: shown at once, taken back where the service refuses. */
import type { components } from '@magpie/client';
import { useQuery } from '@tanstack/react-query';
import { magpie, queries } from '@/app/session';

export type Said = components['schemas']['Verdict'];
export type Word = Exclude<Said['verdict'], 'note'>;
interface Answer {
  verdicts: Said[];
}

const KEY = ['verdicts'];

/** Of a pair in either order, or of one picture. */
export function keyOf(a: number, b = 0): string {
  return b === 0 ? String(a) : `${Math.min(a, b)} ${Math.max(a, b)}`;
}

export function index(list: readonly Said[]): ReadonlyMap<string, Word> {
  const map = new Map<string, Word>();
  for (const { verdict, image_id, other_id } of list)
    if (verdict !== 'note') map.set(keyOf(image_id, other_id), verdict);
  return map;
}

const NONE: ReadonlyMap<string, Word> = new Map();

export function useVerdicts(): ReadonlyMap<string, Word> {
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => magpie.json<Answer>('GET', '/api/verdicts', { signal }),
    select: (answer) => index(answer.verdicts),
  });
  return data ?? NONE;
}

/** All that was said of one picture, the newest first. */
export function useSaidOf(id: number): readonly Said[] {
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => magpie.json<Answer>('GET', '/api/verdicts', { signal }),
  });
  return (data?.verdicts ?? [])
    .filter((one) => one.image_id === id || one.other_id === id)
    .sort((a, b) => b.at.localeCompare(a.at));
}

function put(word: Word | null, a: number, b: number): void {
  const pair = b ? [Math.min(a, b), Math.max(a, b)] : [a, 0];
  queries.setQueryData<Answer>(KEY, (old) => {
    const others = (old?.verdicts ?? []).filter(
      (one) => one.verdict === 'note' || keyOf(one.image_id, one.other_id) !== keyOf(a, b),
    );
    const [image_id = a, other_id = b] = pair;
    const mine: Said[] = word
      ? [{ verdict: word, image_id, other_id, note: '', at: new Date().toISOString() }]
      : [];
    return { verdicts: [...others, ...mine] };
  });
}

function send(word: Word | null, a: number, b: number): Promise<unknown> {
  const other = b ? { other_id: b } : {};
  return word
    ? magpie.json('POST', '/api/verdicts', { body: { verdict: word, image_id: a, ...other } })
    : magpie.json('DELETE', '/api/verdicts', { query: { image_id: a, ...other } });
}

// One after the other: what was said last is what holds.
let last: Promise<unknown> = Promise.resolve();

/** null: as if nothing had been said. Gives back what was said before, to return to. */
export async function say(word: Word | null, a: number, b = 0): Promise<Word | null> {
  await queries.cancelQueries({ queryKey: KEY });
  const before = index(queries.getQueryData<Answer>(KEY)?.verdicts ?? []).get(keyOf(a, b)) ?? null;
  if (before === word) return before;
  put(word, a, b);
  const mine = last.then(() => send(word, a, b));
  last = mine.catch(() => undefined);
  try {
    await mine;
  } catch (error) {
    put(before, a, b);
    throw error;
  }
  return before;
}
