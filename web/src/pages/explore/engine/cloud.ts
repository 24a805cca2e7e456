/* A map as the explorer keeps it: typed arrays alone, no object for any point.
 *
 * The points are shuffled once (the same way each time), so that the first n of them are a fair sample of all. Where
 * a point stands in these arrays is its *place*; every other part speaks of places. */
import { randomOf } from './random';

export class Cloud {
  readonly count: number;
  /** Of each place; below 2^53. */
  readonly ids: Float64Array;
  /** Three values a place, whatever `dims`. */
  readonly positions: Float32Array;
  readonly dims: 2 | 3;
  /** The place of the i-th of what was given. */
  readonly places: Uint32Array;
  #byId: Uint32Array | undefined;

  constructor(ids: Float64Array | readonly number[], positions: Float32Array, dims: 2 | 3) {
    const n = ids.length;
    this.count = n;
    this.dims = dims;
    this.ids = new Float64Array(n);
    this.positions = new Float32Array(3 * n);
    this.places = shuffled(n);
    for (let i = 0; i < n; i++) {
      const at = this.places[i] ?? 0;
      this.ids[at] = ids[i] ?? 0;
      for (let d = 0; d < dims; d++) this.positions[3 * at + d] = positions[dims * i + d] ?? 0;
    }
  }

  /** The place of a picture; -1 when it is not on the map. */
  find(id: number): number {
    const order = (this.#byId ??= this.#sort());
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ids[order[middle] ?? 0] ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    const place = order[low];
    return place !== undefined && this.ids[place] === id ? place : -1;
  }

  /** Places by rising id. */
  #sort(): Uint32Array {
    // What was given mostly has rising ids already; sorting that again costs little.
    const { ids, places } = this;
    const order = places.slice();
    let sorted = true;
    for (let i = 1; sorted && i < order.length; i++)
      sorted = (ids[order[i - 1] ?? 0] ?? 0) < (ids[order[i] ?? 0] ?? 0);
    return sorted ? order : order.sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
  }
}

function shuffled(n: number): Uint32Array {
  const random = randomOf(n);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const j = Math.floor(random() * (i + 1));
    order[i] = order[j] ?? i;
    order[j] = i;
  }
  return order;
}
