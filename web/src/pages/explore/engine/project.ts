/* Points to pixels, by the matrix of the view (column by column, as deck.gl has it): the same for a plane and for
 * space. */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- the indexes of typed arrays are in bounds here */
import { HIDDEN } from './look';
import { IN, OUT, SIDE, type PolygonTest } from './polygon';

/** From the world to pixels of the canvas, y downwards. */
export type PixelMatrix = readonly number[];

export function toPixel(matrix: PixelMatrix, x: number, y: number, z: number): [number, number, number] {
  const m = matrix as number[];
  const w = m[3]! * x + m[7]! * y + m[11]! * z + m[15]!;
  return [
    (m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / w,
    (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / w,
    (m[2]! * x + m[6]! * y + m[10]! * z + m[14]!) / w,
  ];
}

/** Goes through all points that lie on the canvas and in front of the eye. */
export function eachPixel(
  positions: Float32Array,
  matrix: PixelMatrix,
  width: number,
  height: number,
  visit: (place: number, x: number, y: number, depth: number) => void,
): void {
  const [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = matrix as unknown as Float64Array & number[];
  for (let at = 0, place = 0; at < positions.length; at += 3, place++) {
    const x = positions[at]!;
    const y = positions[at + 1]!;
    const z = positions[at + 2]!;
    const w = d! * x + h! * y + l! * z + p!;
    if (w <= 0) continue;
    const u = (a! * x + e! * y + i! * z + m!) / w;
    const v = (b! * x + f! * y + j! * z + n!) / w;
    if (u < 0 || v < 0 || u > width || v > height) continue;
    visit(place, u, v, (c! * x + g! * y + k! * z + o!) / w);
  }
}

/** Places whose pixel lies in the polygon, by rising place. A loop of its own, for it has to be done with a million
 * points before anybody notices. */
export function inPolygon(
  positions: Float32Array,
  matrix: PixelMatrix,
  width: number,
  height: number,
  polygon: PolygonTest,
  state: Uint8Array,
): Uint32Array {
  const found = new Uint32Array(state.length);
  const { cells, left, top, wide, high } = polygon;
  const [a, b, , d, e, f, , h, i, j, , l, m, n, , p] = matrix as unknown as Float64Array & number[];
  let count = 0;
  for (let place = 0, at = 0; place < state.length; place++, at += 3) {
    const x = positions[at]!;
    const y = positions[at + 1]!;
    const z = positions[at + 2]!;
    const w = d! * x + h! * y + l! * z + p!;
    const u = (a! * x + e! * y + i! * z + m!) / w;
    const v = (b! * x + f! * y + j! * z + n!) / w;
    const column = (u - left) * wide;
    const row = (v - top) * high;
    if (!(column >= 0 && row >= 0 && column < SIDE && row < SIDE)) continue;
    const kind = cells[(row | 0) * SIDE + (column | 0)]!;
    if (kind === OUT || state[place]! & HIDDEN || w <= 0 || u < 0 || v < 0 || u > width || v > height)
      continue;
    if (kind === IN || polygon.exact(u, v)) found[count++] = place;
  }
  return found.slice(0, count);
}

/** The point in front that lies within the radius of a pixel; -1: none. */
export function nearestPixel(
  positions: Float32Array,
  matrix: PixelMatrix,
  x: number,
  y: number,
  radius: number,
  seen: (place: number) => boolean,
): number {
  let best = -1;
  let least = Infinity;
  eachPixel(positions, matrix, x + radius, y + radius, (place, u, v, depth) => {
    const away = Math.hypot(u - x, v - y);
    if (away > radius) return;
    // What lies in front wins unless it is far off.
    const cost = away / radius + 4 * depth;
    if (cost < least && seen(place)) {
      least = cost;
      best = place;
    }
  });
  return best;
}
