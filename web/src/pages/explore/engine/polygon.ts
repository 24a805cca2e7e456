/* Is a point in a polygon that may cross itself (even-odd)? The polygon is laid on a grid: cells that no edge
 * touches are in or out as a whole, so that only points near an edge are held against every edge. */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- the indexes of typed arrays are in bounds here */

/** Cells across. */
export const SIDE = 128;
export const OUT = 0;
export const IN = 1;
const EDGE = 2;

export class PolygonTest {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  /** Row by row: OUT, IN, or to be looked at. */
  readonly cells = new Uint8Array(SIDE * SIDE);
  /** The edges that pass each row. */
  readonly #passing = Array.from({ length: SIDE }, (): number[] => []);
  readonly left: number;
  readonly top: number;
  /** Cells in a unit. */
  readonly wide: number;
  readonly high: number;

  constructor(points: readonly (readonly [number, number])[]) {
    this.#x = Float64Array.from(points, (point) => point[0]);
    this.#y = Float64Array.from(points, (point) => point[1]);
    this.left = Math.min(...this.#x);
    this.top = Math.min(...this.#y);
    this.wide = SIDE / (Math.max(...this.#x) - this.left || 1);
    this.high = SIDE / (Math.max(...this.#y) - this.top || 1);
    this.#markEdges();
    for (let row = 0; row < SIDE; row++)
      for (let column = 0; column < SIDE; column++) {
        const cell = row * SIDE + column;
        if (this.cells[cell] === EDGE) continue;
        const x = this.left + (column + 0.5) / this.wide;
        const y = this.top + (row + 0.5) / this.high;
        this.cells[cell] = this.exact(x, y) ? IN : OUT;
      }
  }

  has(x: number, y: number): boolean {
    const column = Math.floor((x - this.left) * this.wide);
    const row = Math.floor((y - this.top) * this.high);
    // The right and lower borders belong to no cell, and to no inside.
    if (!(column >= 0 && row >= 0 && column < SIDE && row < SIDE)) return false;
    const kind = this.cells[row * SIDE + column];
    return kind === EDGE ? this.exact(x, y) : kind === IN;
  }

  /** In each row of cells that an edge passes, all that it passes there, and one more at either side. */
  #markEdges(): void {
    const n = this.#x.length;
    for (let i = 0; i < n; i++) {
      let x1 = (this.#x[i]! - this.left) * this.wide;
      let y1 = (this.#y[i]! - this.top) * this.high;
      let x2 = (this.#x[(i + 1) % n]! - this.left) * this.wide;
      let y2 = (this.#y[(i + 1) % n]! - this.top) * this.high;
      if (y1 > y2) [x1, y1, x2, y2] = [x2, y2, x1, y1];
      for (let row = clamp(y1 - 1e-6); row <= clamp(y2 + 1e-6); row++) {
        this.#passing[row]!.push((i + 1) % n); // an edge goes by the corner at its end
        const from = y2 > y1 ? Math.max(0, (row - y1) / (y2 - y1)) : 0;
        const to = y2 > y1 ? Math.min(1, (row + 1 - y1) / (y2 - y1)) : 1;
        const a = x1 + (x2 - x1) * from;
        const b = x1 + (x2 - x1) * to;
        for (let column = clamp(Math.min(a, b) - 1e-6); column <= clamp(Math.max(a, b) + 1e-6); column++)
          this.cells[row * SIDE + column] = EDGE;
      }
    }
  }

  /** Held against every edge that passes its row of cells. */
  exact(x: number, y: number): boolean {
    let inside = false;
    for (const i of this.#passing[clamp((y - this.top) * this.high)]!) {
      const yi = this.#y[i]!;
      const j = i === 0 ? this.#y.length - 1 : i - 1;
      const yj = this.#y[j]!;
      if (yi > y === yj > y) continue;
      const xi = this.#x[i]!;
      if (x < ((this.#x[j]! - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  }
}

function clamp(value: number): number {
  return Math.max(0, Math.min(SIDE - 1, Math.floor(value)));
}

/** The corners of a rectangle between two points. */
export function boxOf(from: readonly [number, number], to: readonly [number, number]): [number, number][] {
  return [
    [from[0], from[1]],
    [to[0], from[1]],
    [to[0], to[1]],
    [from[0], to[1]],
  ];
}
