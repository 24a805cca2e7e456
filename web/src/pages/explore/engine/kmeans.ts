/* Clusters of what lies together: k-means with seeds far from each other (k-means++), learnt on a sample, then every
 * point to its nearest centre. Clusters are numbered by falling size. */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- the indexes of typed arrays are in bounds here */
import { randomOf } from './random';

const SAMPLE = 20_000;
const ROUNDS = 25;

export interface Clusters {
  /** Of each point. */
  values: Uint8Array;
  sizes: number[];
}

function nearest(centres: Float64Array, k: number, x: number, y: number, z: number): [number, number] {
  let best = 0;
  let least = Infinity;
  for (let c = 0; c < k; c++) {
    const dx = centres[3 * c]! - x;
    const dy = centres[3 * c + 1]! - y;
    const dz = centres[3 * c + 2]! - z;
    const distance = dx * dx + dy * dy + dz * dz;
    if (distance < least) {
      least = distance;
      best = c;
    }
  }
  return [best, least];
}

function seeds(points: Float32Array, n: number, k: number): Float64Array {
  const random = randomOf(1);
  const centres = new Float64Array(3 * k);
  const away = new Float64Array(n).fill(Infinity);
  let chosen = Math.floor(random() * n);
  for (let c = 0; c < k; c++) {
    for (let d = 0; d < 3; d++) centres[3 * c + d] = points[3 * chosen + d]!;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let distance = 0;
      for (let d = 0; d < 3; d++) distance += (points[3 * i + d]! - centres[3 * c + d]!) ** 2;
      away[i] = Math.min(away[i]!, distance);
      sum += away[i]!;
    }
    let left = random() * sum;
    for (chosen = 0; chosen < n - 1 && (left -= away[chosen]!) > 0; chosen++);
  }
  return centres;
}

/** Three values a point. The order of the points has no meaning, so the first of them are the sample. */
export function kMeans(points: Float32Array, wanted: number): Clusters {
  const total = points.length / 3;
  const n = Math.min(total, SAMPLE);
  const k = Math.min(wanted, n);
  const values = new Uint8Array(total);
  if (k === 0) return { values, sizes: [] };
  const centres = seeds(points, n, k);
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Float64Array(3 * k);
    const counts = new Uint32Array(k);
    for (let i = 0; i < n; i++) {
      const [c] = nearest(centres, k, points[3 * i]!, points[3 * i + 1]!, points[3 * i + 2]!);
      counts[c]!++;
      for (let d = 0; d < 3; d++) sums[3 * c + d]! += points[3 * i + d]!;
    }
    let moved = 0;
    for (let c = 0; c < k; c++)
      for (let d = 0; counts[c]! > 0 && d < 3; d++) {
        const mean = sums[3 * c + d]! / counts[c]!;
        moved = Math.max(moved, Math.abs(mean - centres[3 * c + d]!));
        centres[3 * c + d] = mean;
      }
    if (moved < 1e-4) break;
  }
  const counts = new Array<number>(k).fill(0);
  for (let i = 0; i < total; i++) {
    const [c] = nearest(centres, k, points[3 * i]!, points[3 * i + 1]!, points[3 * i + 2]!);
    values[i] = c;
    counts[c]!++;
  }
  const order = counts.map((_, c) => c).sort((a, b) => counts[b]! - counts[a]!);
  const rank = new Uint8Array(k);
  order.forEach((c, i) => (rank[c] = i));
  for (let i = 0; i < total; i++) values[i] = rank[values[i]!]!;
  return { values, sizes: order.map((c) => counts[c]!).filter((size) => size > 0) };
}
