/* The thumbnails that are on the canvas, in one texture of a fixed size: a slot each; what was not shown for the
 * longest time gives its slot up. */
import type { Device, Texture } from '@luma.gl/core';

const SIDE = 2048;
export const SLOT = 128;
const ROW = SIDE / SLOT;
export const SLOTS = ROW * ROW;
const AT_ONCE = 8;

export interface Slot {
  /** In the texture, from 0 to 1: left, top, width, height. */
  part: readonly [number, number, number, number];
  /** Width by height. */
  ratio: number;
}

interface Kept {
  index: number;
  /** Null while it is on its way, and for good when it cannot be had. */
  slot: Slot | null;
  used: number;
}

/** Links of thumbnails; of what is gone there is none. */
export type Previews = (ids: readonly number[], signal: AbortSignal) => Promise<Map<number, string>>;

export class Atlas {
  readonly texture: Texture;
  readonly #previews: Previews;
  readonly #changed: () => void;
  readonly #kept = new Map<number, Kept>();
  readonly #free = Array.from({ length: SLOTS }, (_, i) => SLOTS - 1 - i);
  readonly #end = new AbortController();
  #clock = 0;
  #queue: { id: number; url: string }[] = [];
  #running = 0;

  constructor(device: Device, previews: Previews, changed: () => void) {
    this.texture = device.createTexture({
      width: SIDE,
      height: SIDE,
      format: 'rgba8unorm',
      sampler: { minFilter: 'linear', magFilter: 'linear' },
    });
    this.#previews = previews;
    this.#changed = changed;
  }

  /** Those of the pictures that are here; the others are fetched. */
  want(ids: readonly number[]): Map<number, Slot> {
    this.#clock++;
    const here = new Map<number, Slot>();
    const missing: number[] = [];
    for (const id of ids.slice(0, SLOTS)) {
      const kept = this.#kept.get(id);
      if (kept) kept.used = this.#clock;
      else if (this.#reserve(id)) missing.push(id);
      if (kept?.slot) here.set(id, kept.slot);
    }
    if (missing.length) void this.#fetch(missing);
    return here;
  }

  #reserve(id: number): boolean {
    if (this.#free.length === 0) {
      let oldest: [number, Kept] | undefined;
      for (const entry of this.#kept)
        if (entry[1].used < this.#clock && (!oldest || entry[1].used < oldest[1].used)) oldest = entry;
      if (!oldest) return false;
      this.#kept.delete(oldest[0]);
      this.#free.push(oldest[1].index);
    }
    const index = this.#free.pop();
    if (index === undefined) return false;
    this.#kept.set(id, { index, slot: null, used: this.#clock });
    return true;
  }

  async #fetch(ids: number[]): Promise<void> {
    try {
      const links = await this.#previews(ids, this.#end.signal);
      for (const id of ids) {
        const url = links.get(id);
        if (url !== undefined) this.#queue.push({ id, url });
      }
      this.#pump();
    } catch {
      // They are asked for again when the view rests the next time.
      for (const id of ids) this.#forget(id);
    }
  }

  #forget(id: number): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    this.#free.push(kept.index);
  }

  #pump(): void {
    while (this.#running < AT_ONCE) {
      // What is on the canvas now comes first.
      const next = this.#queue.pop();
      if (!next) return;
      this.#running++;
      void this.#load(next.id, next.url).finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  async #load(id: number, url: string): Promise<void> {
    try {
      const answer = await fetch(url, { signal: this.#end.signal });
      if (!answer.ok) return;
      const whole = await createImageBitmap(await answer.blob());
      const ratio = whole.width / whole.height;
      const width = Math.max(1, Math.round(ratio >= 1 ? SLOT : SLOT * ratio));
      const height = Math.max(1, Math.round(ratio >= 1 ? SLOT / ratio : SLOT));
      const small = await createImageBitmap(whole, {
        resizeWidth: width,
        resizeHeight: height,
        resizeQuality: 'medium',
      });
      whole.close();
      const kept = this.#kept.get(id); // its slot may be another's by now
      if (kept && !this.#end.signal.aborted) {
        const x = (kept.index % ROW) * SLOT;
        const y = Math.floor(kept.index / ROW) * SLOT;
        this.texture.copyExternalImage({ image: small, x, y, width, height });
        // Half a pixel off its border, so that no neighbour shines through.
        kept.slot = {
          part: [(x + 0.5) / SIDE, (y + 0.5) / SIDE, (width - 1) / SIDE, (height - 1) / SIDE],
          ratio,
        };
        this.#changed();
      }
      small.close();
    } catch {
      // A picture that cannot be shown stays a point.
    }
  }

  destroy(): void {
    this.#end.abort();
    this.#queue = [];
    this.texture.destroy();
  }
}
