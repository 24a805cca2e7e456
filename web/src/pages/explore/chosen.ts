/* Sets of places. */
import type { Change } from './useRegion';

export const NOBODY = new Uint32Array(0);

/** What is chosen after a change, by rising place. */
export function changed(
  before: Uint32Array,
  places: Uint32Array,
  change: Change,
  count: number,
): Uint32Array {
  if (change === 'replace') return places;
  const set = new Uint8Array(count);
  for (const place of before) set[place] = 1;
  for (const place of places) set[place] = change === 'add' ? 1 : 0;
  return gathered(set);
}

/** One more or one less. */
export function toggled(before: Uint32Array, place: number): Uint32Array {
  return before.includes(place) ? before.filter((one) => one !== place) : Uint32Array.of(...before, place);
}

export function gathered(set: ArrayLike<number>): Uint32Array {
  let n = 0;
  for (let i = 0; i < set.length; i++) if (set[i]) n++;
  const places = new Uint32Array(n);
  n = 0;
  for (let i = 0; i < set.length; i++) if (set[i]) places[n++] = i;
  return places;
}

const MOST_TESTS = 90;

/** A filter for these pictures; undefined when it would be too long for the service. Neighbouring numbers become a
 * range. */
export function filterOf(ids: readonly number[]): string | undefined {
  if (ids.length > 5000) return undefined;
  const tests: string[] = [];
  const sorted = [...ids].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    while (sorted[j + 1] === (sorted[j] ?? 0) + 1) j++;
    tests.push(j === i ? `id:${sorted[i] ?? 0}` : `(id>=${sorted[i] ?? 0} id<=${sorted[j] ?? 0})`);
    i = j + 1;
    if (tests.length > MOST_TESTS / 2) return undefined;
  }
  return tests.join(' OR ');
}
