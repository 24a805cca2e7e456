/* What colours mean: the values of an attribute, brought to a byte for each point, and what the legend says of them. */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- the indexes of typed arrays are in bounds here */
import type { Cloud } from './cloud';
import { MOST_CATEGORIES, NONE } from './look';

export interface Colors {
  /** Rising. */
  ids: Float64Array;
  values: Float32Array;
  /** Empty: the values are numbers. */
  names: string[];
}

const HEAD = 16;

/** The binary form of GET /api/vectors/map/colors. */
export function decodeColors(buffer: ArrayBuffer): Colors {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEAD || view.getUint32(0) !== 0x4d504331)
    throw new RangeError('these are no colours');
  const count = view.getUint32(4, true);
  const n = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
  if (n * 12 > buffer.byteLength - HEAD) throw new RangeError('the colours are cut off');
  const ids = new Float64Array(n);
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const at = HEAD + 8 * i;
    ids[i] = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
    values[i] = view.getFloat32(HEAD + 8 * n + 4 * i, true);
  }
  const text = new TextDecoder().decode(new Uint8Array(buffer, HEAD + 12 * n));
  return { ids, values, names: text.split('\0').slice(0, count) };
}

export interface Category {
  name: string;
  count: number;
}

export type Coloring =
  /** `values` are positions in `categories`; `rest`: how many are in none that is shown. */
  | { kind: 'category'; values: Uint8Array; categories: Category[]; rest: number }
  /** `values` go from 0 (low or less) to 254 (high or more); `rest`: how many have none. */
  | { kind: 'scale'; values: Uint8Array; low: number; high: number; rest: number };

/** By place; NaN where there is none. Both sides are mostly sorted, so the search goes on from where it was. */
function byPlace({ ids, values }: Colors, cloud: Cloud): Float32Array {
  const out = new Float32Array(cloud.count).fill(NaN);
  let at = 0;
  for (let i = 0; i < cloud.count; i++) {
    const place = cloud.places[i]!;
    const id = cloud.ids[place]!;
    if (at > 0 && ids[at - 1]! >= id) at = 0;
    while (at < ids.length && ids[at]! < id) at++;
    if (ids[at] === id) out[place] = values[at]!;
  }
  return out;
}

/** A few far-off values must not take the scale for themselves. */
function range(values: Float32Array): [number, number] {
  const step = Math.max(1, Math.floor(values.length / 100_000));
  const sample = new Float32Array(Math.ceil(values.length / step));
  let n = 0;
  for (let i = 0; i < values.length; i += step) if (!Number.isNaN(values[i]!)) sample[n++] = values[i]!;
  const sorted = sample.subarray(0, n).sort();
  if (n === 0) return [0, 1];
  const cut = n < 200 ? 0 : Math.floor(n * 0.01);
  const low = sorted[cut]!;
  const high = sorted[n - 1 - cut]!;
  return low < high ? [low, high] : [low - 0.5, low + 0.5];
}

export function coloringOf(colors: Colors, cloud: Cloud): Coloring {
  const raw = byPlace(colors, cloud);
  const values = new Uint8Array(cloud.count).fill(NONE);
  let rest = 0;
  if (colors.names.length === 0) {
    const [low, high] = range(raw);
    for (let i = 0; i < raw.length; i++) {
      if (Number.isNaN(raw[i]!)) rest++;
      else values[i] = Math.round(Math.max(0, Math.min(1, (raw[i]! - low) / (high - low))) * 254);
    }
    return { kind: 'scale', values, low, high, rest };
  }
  const counts = new Array<number>(colors.names.length).fill(0);
  for (const value of raw) if (value >= 0) counts[value]!++;
  const shown = counts
    .map((_, i) => i)
    .filter((i) => counts[i]! > 0)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, MOST_CATEGORIES);
  const position = new Uint8Array(colors.names.length).fill(NONE);
  shown.forEach((category, i) => (position[category] = i));
  for (let i = 0; i < raw.length; i++) {
    values[i] = raw[i]! >= 0 ? position[raw[i]!]! : NONE;
    if (values[i] === NONE) rest++;
  }
  const categories = shown.map((i) => ({ name: colors.names[i]!, count: counts[i]! }));
  return { kind: 'category', values, categories, rest };
}
