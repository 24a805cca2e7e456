/* Which points in view get their picture: as many as have room, those that stand out first. */
import { CHOSEN, HIT, type Look } from './look';
import { SLOTS, type Slot } from './atlas';
import { SPRITE_FLOATS } from './SpritesLayer';

/** Pixels of the long side. */
const SIDE = 64;
const GAP = 8;
const MOST = Math.min(200, SLOTS);

export interface InView {
  place: number;
  x: number;
  y: number;
  depth: number;
}

/** None lies over another; the first to come has its place. From far to near. */
export function chooseSprites(inView: readonly InView[], look: Look): number[] {
  const rank = ({ place }: InView) => (look.state[place] ?? 0) & (HIT | CHOSEN);
  const wanted = look.dimmed ? inView.filter((point) => rank(point) > 0) : [...inView];
  const step = SIDE + GAP;
  const taken = new Map<string, InView>();
  const chosen: InView[] = [];
  const isFree = ({ x, y }: InView) => {
    for (let row = -1; row <= 1; row++)
      for (let column = -1; column <= 1; column++) {
        const other = taken.get(`${Math.floor(x / step) + column} ${Math.floor(y / step) + row}`);
        if (other && Math.abs(other.x - x) < step && Math.abs(other.y - y) < step) return false;
      }
    return true;
  };
  // Places have no meaning, so that by them is by chance, and the same each time.
  for (const point of wanted.sort((a, b) => rank(b) - rank(a) || a.depth - b.depth || a.place - b.place)) {
    if (!isFree(point)) continue;
    taken.set(`${Math.floor(point.x / step)} ${Math.floor(point.y / step)}`, point);
    chosen.push(point);
    if (chosen.length === MOST) break;
  }
  return chosen.sort((a, b) => b.depth - a.depth).map(({ place }) => place);
}

export interface Packed {
  places: Float32Array;
  frames: Uint8Array;
  /** The places that are packed, and half their sizes in pixels. */
  chosen: number[];
  halves: [number, number][];
}

/** For SpritesLayer; those whose picture is here. */
export function packSprites(
  wanted: readonly { place: number; id: number }[],
  slots: ReadonlyMap<number, Slot>,
  position: (place: number) => readonly [number, number, number],
  colors: Uint8Array,
): Packed {
  const here = wanted.filter(({ id }) => slots.has(id));
  const places = new Float32Array(SPRITE_FLOATS * here.length);
  const frames = new Uint8Array(4 * here.length);
  const halves: [number, number][] = [];
  here.forEach(({ place, id }, i) => {
    const slot = slots.get(id);
    if (!slot) return;
    const half: [number, number] =
      slot.ratio >= 1 ? [SIDE / 2, SIDE / 2 / slot.ratio] : [(SIDE / 2) * slot.ratio, SIDE / 2];
    halves.push(half);
    places.set([...position(place), ...slot.part, ...half], SPRITE_FLOATS * i);
    frames.set(colors.subarray(4 * place, 4 * place + 4), 4 * i);
  });
  return { places, frames, chosen: here.map(({ place }) => place), halves };
}
