/* How every point looks: one byte of value (its place on a scale or its category), one of state; both together
 * choose a colour of a table. The table is small, so that a million points are painted in a few milliseconds. */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- the indexes of typed arrays are in bounds here */

export const HIT = 1;
export const CHOSEN = 2;
export const HIDDEN = 4;
/** The value of points that have none. */
export const NONE = 255;

export type Rgb = readonly [number, number, number];

/** Colours that people with any kind of colour vision tell apart (Okabe and Ito's, the lightest and darkest of them
 * moved so that they stand out from a light or a dark surface). */
const CATEGORIES = {
  light: ['#0072b2', '#d55e00', '#009e73', '#b8408f', '#2f9fdc', '#c98500', '#5b3f9e', '#7a7000', '#8c2f2f'],
  dark: ['#56b4e9', '#ff8c42', '#2fc79b', '#f29ac9', '#4f86ff', '#f0c808', '#b79cff', '#c5d86d', '#ff6f6f'],
} as const;
export const MOST_CATEGORIES = CATEGORIES.light.length;

/** Stops of viridis, without the end that would be lost on the surface. */
const SCALE = {
  light: ['#440154', '#414487', '#2a788e', '#22a884', '#5cb83c', '#9aa51a'],
  dark: ['#5a4a9c', '#3f6fa8', '#2a9d8f', '#35b779', '#a5db36', '#fde725'],
} as const;
const SURFACE = {
  light: { back: [250, 250, 249], other: [120, 115, 110], chosen: [28, 25, 23] },
  dark: { back: [22, 21, 20], other: [150, 145, 140], chosen: [255, 255, 255] },
} as const satisfies Record<string, Record<string, Rgb>>;

export type ThemeName = keyof typeof SURFACE;

export function rgbOf(hex: string): Rgb {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function mix(a: Rgb, b: Rgb, part: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * part)) as unknown as Rgb;
}

/** From 0 to 1. */
export function scaleColor(at: number, theme: ThemeName): Rgb {
  const stops = SCALE[theme];
  const place = Math.max(0, Math.min(1, at)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(place));
  return mix(rgbOf(stops[low]!), rgbOf(stops[low + 1]!), place - low);
}

export function categoryColor(index: number, theme: ThemeName): Rgb {
  const hex = CATEGORIES[theme][index];
  return hex === undefined ? SURFACE[theme].other : rgbOf(hex);
}

export const surfaceOf = (theme: ThemeName) => SURFACE[theme];

export class Look {
  readonly colors: Uint8Array;
  readonly values: Uint8Array;
  readonly state: Uint8Array;
  /** Raised with each painting. */
  version = 0;
  /** Only who stands out counts. */
  dimmed = false;
  readonly #words: Uint32Array;

  constructor(count: number) {
    this.colors = new Uint8Array(4 * count);
    this.#words = new Uint32Array(this.colors.buffer);
    this.values = new Uint8Array(count).fill(NONE);
    this.state = new Uint8Array(count);
  }

  /** What all of one value look like. */
  paint(kind: 'category' | 'scale', theme: ThemeName, dimmed: boolean): void {
    this.dimmed = dimmed;
    const table = new Uint32Array(8 * 256);
    const { back, other, chosen } = SURFACE[theme];
    for (let value = 0; value < 256; value++) {
      const plain =
        value === NONE
          ? other
          : kind === 'scale'
            ? scaleColor(value / 254, theme)
            : categoryColor(value, theme);
      for (let state = 0; state < 8; state++) {
        const [rgb, rank]: [Rgb, number] =
          state & HIDDEN
            ? [back, 0]
            : state & CHOSEN
              ? [mix(plain, chosen, 0.4), 4]
              : state & HIT
                ? [plain, 3]
                : dimmed
                  ? [mix(plain, back, 0.78), 1]
                  : [plain, 2];
        table[(state << 8) | value] = ((rank << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0]) >>> 0;
      }
    }
    const { values, state } = this;
    const words = this.#words;
    for (let i = 0; i < words.length; i++) words[i] = table[(state[i]! << 8) | values[i]!]!;
    this.version++;
  }

  /** Who stands out, and whose value is hidden. */
  mark(hits: Iterable<number>, chosen: Iterable<number>, hidden: ReadonlySet<number>): void {
    const { state, values } = this;
    const off = new Uint8Array(256);
    for (const value of hidden) off[value] = HIDDEN;
    for (let i = 0; i < state.length; i++) state[i] = off[values[i]!]!;
    for (const place of hits) state[place]! |= HIT;
    for (const place of chosen) state[place]! |= CHOSEN;
  }

  /** A test for what is drawn at all. */
  readonly seen = (place: number): boolean => !(this.state[place]! & HIDDEN);
}
