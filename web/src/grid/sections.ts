/* Where the segments of a timeline lie: estimated at first, exact once their pictures are known. Positions are sums,
 * kept so that a change in one segment costs one pass over a few thousand numbers. */
import { estimate } from './justify';

export interface Segment {
  month: string;
  count: number;
  ratio: number;
  cursor: string | null;
}

export const HEADING = 44;
export const BELOW = 16;

export interface Section {
  segment: Segment;
  /** Its number, and of its first picture. */
  at: number;
  first: number;
  /** Begins a month: a heading stands above it. */
  heading: boolean;
  /** The month goes on in the next one. */
  goesOn: boolean;
}

export function sectionsOf(segments: readonly Segment[]): Section[] {
  let first = 0;
  return segments.map((segment, at) => {
    const section = {
      segment,
      at,
      first,
      heading: segments[at - 1]?.month !== segment.month,
      goesOn: segments[at + 1]?.month === segment.month,
    };
    first += segment.count;
    return section;
  });
}

/** Tops of all sections and, at the end, of what would come after them. */
export function topsOf(
  sections: readonly Section[],
  known: ReadonlyMap<number, number>,
  width: number,
  wanted: number,
): Float64Array {
  const tops = new Float64Array(sections.length + 1);
  let y = 0;
  sections.forEach((section, i) => {
    tops[i] = y;
    const { count, ratio } = section.segment;
    const height = known.get(i) ?? estimate(count, ratio, width, wanted);
    y += (section.heading ? HEADING : 0) + height + (section.goesOn ? 4 : BELOW);
  });
  tops[sections.length] = y;
  return tops;
}

/** The last section that begins at or above `y`. */
export function sectionAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}
