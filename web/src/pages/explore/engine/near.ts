/* Which point lies where: a uniform grid for a flat cloud, so that the pointer finds its point at once among a
 * million. */

export class PlaneGrid {
  readonly #positions: Float32Array;
  readonly #side: number;
  readonly #left: number;
  readonly #low: number;
  readonly #step: number;
  /** Where each cell's points begin in #order; one more than there are cells. */
  readonly #begin: Uint32Array;
  readonly #order: Uint32Array;

  /** Three values a point; the third is not looked at. */
  constructor(positions: Float32Array) {
    const n = positions.length / 3;
    this.#positions = positions;
    this.#side = Math.max(1, Math.min(1024, Math.round(Math.sqrt(n / 3))));
    let left = Infinity;
    let right = -Infinity;
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < positions.length; i += 3) {
      const x = positions[i] ?? 0;
      const y = positions[i + 1] ?? 0;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < low) low = y;
      if (y > high) high = y;
    }
    this.#left = n ? left : 0;
    this.#low = n ? low : 0;
    this.#step = (n && Math.max(right - left, high - low) / this.#side) || 1;
    // Sorted by counting: cells of all points, their sums, then each to its place.
    const cells = new Uint32Array(n);
    this.#begin = new Uint32Array(this.#side * this.#side + 1);
    for (let i = 0; i < n; i++) {
      const cell = this.#row(positions[3 * i + 1] ?? 0) * this.#side + this.#column(positions[3 * i] ?? 0);
      cells[i] = cell;
      this.#begin[cell + 1] = (this.#begin[cell + 1] ?? 0) + 1;
    }
    for (let i = 1; i < this.#begin.length; i++)
      this.#begin[i] = (this.#begin[i] ?? 0) + (this.#begin[i - 1] ?? 0);
    const next = this.#begin.slice();
    this.#order = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const cell = cells[i] ?? 0;
      const at = next[cell] ?? 0;
      this.#order[at] = i;
      next[cell] = at + 1;
    }
  }

  #column(x: number): number {
    return Math.max(0, Math.min(this.#side - 1, Math.floor((x - this.#left) / this.#step)));
  }

  #row(y: number): number {
    return Math.max(0, Math.min(this.#side - 1, Math.floor((y - this.#low) / this.#step)));
  }

  /** The places in a rectangle, at most so many; in no order. */
  within(left: number, low: number, right: number, high: number, most: number): number[] {
    const found: number[] = [];
    for (let row = this.#row(low); row <= this.#row(high); row++) {
      const from = this.#begin[row * this.#side + this.#column(left)] ?? 0;
      const to = this.#begin[row * this.#side + this.#column(right) + 1] ?? 0;
      for (let i = from; i < to; i++) {
        const place = this.#order[i] ?? 0;
        const x = this.#positions[3 * place] ?? 0;
        const y = this.#positions[3 * place + 1] ?? 0;
        if (x < left || x > right || y < low || y > high) continue;
        found.push(place);
        if (found.length >= most) return found;
      }
    }
    return found;
  }

  /** The nearest within the radius of those that are `seen`; -1: none. */
  nearest(x: number, y: number, radius: number, seen: (place: number) => boolean): number {
    let best = -1;
    let least = radius * radius;
    for (const place of this.within(x - radius, y - radius, x + radius, y + radius, 200_000)) {
      const dx = (this.#positions[3 * place] ?? 0) - x;
      const dy = (this.#positions[3 * place + 1] ?? 0) - y;
      const distance = dx * dx + dy * dy;
      if (distance > least || !seen(place)) continue;
      least = distance;
      best = place;
    }
    return best;
  }
}
