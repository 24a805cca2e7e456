/* Rows of pictures that fill the width: each row has one height, near the wanted one, and its pictures keep their
 * shape. Pure; the same input gives the same layout. */

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layout {
  boxes: Box[];
  height: number;
}

export const GAP = 4;
const LEAST = 0.25;
const MOST = 4;

/** The same limits as the service's sums have (`ratio` of a segment). */
export function ratioOf(width: number, height: number): number {
  return height > 0 ? Math.min(MOST, Math.max(LEAST, width / height)) : 1;
}

/** A row that cannot be filled is not stretched, unless `fill`: then it belongs to a segment that goes on below. */
export function justify(ratios: readonly number[], width: number, wanted: number, fill: boolean): Layout {
  const boxes: Box[] = [];
  let y = 0;
  for (let from = 0; from < ratios.length; ) {
    let sum = 0;
    let to = from;
    while (to < ratios.length) {
      const next = sum + (ratios[to] ?? 1);
      const room = width - GAP * (to - from);
      // Without this picture the row would be nearer to the wanted height than with it.
      if (to > from && room / next < wanted && wanted - room / next > (room + GAP) / sum - wanted) break;
      sum = next;
      to++;
      if (room / sum <= wanted) break;
    }
    const room = width - GAP * (to - from - 1);
    const last = to === ratios.length;
    const full = room / sum;
    const height = last && full > wanted ? (fill ? Math.min(full, wanted * 1.6) : wanted) : full;
    let x = 0;
    for (let i = from; i < to; i++) {
      const w = (ratios[i] ?? 1) * height;
      boxes.push({ x, y, width: w, height });
      x += w + GAP;
    }
    y += height + GAP;
    from = to;
  }
  return { boxes, height: Math.max(0, y - GAP) };
}

/** The height of so many pictures before their shapes are known: exact on average. */
export function estimate(count: number, ratio: number, width: number, wanted: number): number {
  if (count === 0) return 0;
  const perRow = Math.max(1, width / ((ratio / count) * wanted + GAP));
  const rows = Math.max(1, Math.round(count / perRow));
  return rows * (wanted + GAP) - GAP;
}
