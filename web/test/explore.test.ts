// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { changed, filterOf, gathered, toggled } from '@/pages/explore/chosen';
import { Cloud } from '@/pages/explore/engine/cloud';
import { coloringOf, decodeColors } from '@/pages/explore/engine/coloring';
import { kMeans } from '@/pages/explore/engine/kmeans';
import { Look, MOST_CATEGORIES, NONE } from '@/pages/explore/engine/look';
import { PlaneGrid } from '@/pages/explore/engine/near';
import { boxOf, PolygonTest } from '@/pages/explore/engine/polygon';
import { inPolygon, nearestPixel, toPixel } from '@/pages/explore/engine/project';
import { randomOf } from '@/pages/explore/engine/random';
import { syntheticCloud } from '@/pages/explore/engine/synthetic';

type Corner = [number, number];

/** Looked up edge by edge. */
function plainly(points: readonly Corner[], x: number, y: number): boolean {
  let inside = false;
  points.forEach(([xi, yi], i) => {
    const [xj, yj] = points.at(i - 1) ?? [0, 0];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  });
  return inside;
}

/** From [-1, 1] to a canvas of 1000 x 1000; column by column. */
const FLAT = [500, 0, 0, 0, 0, -500, 0, 0, 0, 0, 1, 0, 500, 500, 0, 1];
const anyone = () => true;

describe('a polygon', () => {
  it('holds what an even-odd test says, also where it crosses itself', () => {
    const random = randomOf(3);
    for (let round = 0; round < 20; round++) {
      const points = Array.from({ length: 3 + round * 4 }, (): Corner => [random() * 300, random() * 200]);
      const test = new PolygonTest(points);
      for (let i = 0; i < 3000; i++) {
        const [x, y] = [random() * 340 - 20, random() * 240 - 20];
        expect(test.has(x, y)).toBe(plainly(points, x, y));
      }
    }
  });

  it('may be a line or a point', () => {
    expect(new PolygonTest(boxOf([5, 5], [5, 5])).has(5, 5)).toBe(false);
    expect(new PolygonTest(boxOf([5, 5], [50, 5])).has(20, 5)).toBe(false);
    expect(new PolygonTest(boxOf([50, 50], [5, 5])).has(20, 20)).toBe(true);
  });

  it('finds its points among a million at once', () => {
    const { positions } = syntheticCloud(1_000_000, 2);
    const state = new Uint8Array(1_000_000);
    const random = randomOf(1);
    const lasso = Array.from({ length: 300 }, (_, i): Corner => {
      const far = 300 + 60 * random();
      return [500 + far * Math.cos(i / 47.7), 500 + far * Math.sin(i / 47.7)];
    });
    const userMs = (run: () => void): number => {
      const began = process.cpuUsage(); // what others do on the machine does not count
      run();
      return process.cpuUsage(began).user / 1000;
    };
    const SOME = 20_000;
    const times: number[] = [];
    const plain: number[] = [];
    let found = new Uint32Array(0);
    for (let round = 0; round < 3; round++) {
      const test = new PolygonTest(lasso);
      times.push(
        userMs(() => {
          found = inPolygon(positions, FLAT, 1000, 1000, test, state) as typeof found;
        }),
      );
      plain.push(
        userMs(() => {
          for (let i = 0; i < SOME; i++) plainly(lasso, (i * 37) % 1000, (i * 91) % 1000);
        }),
      );
    }
    const ms = Math.min(...times);
    const ratio = (Math.min(...plain) * (1_000_000 / SOME)) / ms;
    console.log(
      `a lasso of 300 corners among 1000000 points: ${ms.toFixed(1)} ms, plainly ${ratio.toFixed(1)}x`,
    );
    expect(ratio).toBeGreaterThan(3);
    for (const place of [0, 1, 2, 3, 999_999]) {
      const [x, y] = toPixel(FLAT, positions[3 * place] ?? 0, positions[3 * place + 1] ?? 0, 0);
      expect(found.includes(place)).toBe(plainly(lasso, x, y));
    }
  });
});

describe('a point under the pointer', () => {
  it('is the nearest, on a plane', () => {
    const { positions } = syntheticCloud(20_000, 2);
    const grid = new PlaneGrid(positions);
    const random = randomOf(9);
    for (let round = 0; round < 200; round++) {
      const [x, y] = [random() * 2 - 1, random() * 2 - 1];
      let best = -1;
      let least = 0.05;
      for (let i = 0; i < 20_000; i++) {
        const away = Math.hypot((positions[3 * i] ?? 0) - x, (positions[3 * i + 1] ?? 0) - y);
        if (away <= least && i % 3 > 0) [best, least] = [i, away];
      }
      expect(grid.nearest(x, y, 0.05, (place) => place % 3 > 0)).toBe(best);
    }
  });

  it('is in front, in space', () => {
    const positions = Float32Array.of(0, 0, 0.5, 0, 0, -0.5, 0.9, 0.9, 0);
    expect(nearestPixel(positions, FLAT, 500, 500, 10, anyone)).toBe(1);
    expect(nearestPixel(positions, FLAT, 500, 500, 10, (place) => place !== 1)).toBe(0);
    expect(nearestPixel(positions, FLAT, 100, 100, 10, anyone)).toBe(-1);
  });

  it('is none on an empty map', () => {
    expect(new PlaneGrid(new Float32Array(0)).nearest(0, 0, 1, anyone)).toBe(-1);
  });
});

describe('a cloud', () => {
  it('finds every picture, and shuffles the same way each time', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => 3 * i + 7);
    const positions = Float32Array.from({ length: 2000 }, (_, i) => i / 2000);
    const cloud = new Cloud(ids, positions, 2);
    ids.forEach((id, i) => {
      const place = cloud.find(id);
      expect(cloud.ids[place]).toBe(id);
      expect(cloud.positions[3 * place + 1]).toBeCloseTo((2 * i + 1) / 2000);
    });
    expect(cloud.find(8)).toBe(-1);
    expect(cloud.find(99_999)).toBe(-1);
    expect(new Cloud(ids, positions, 2).ids).toEqual(cloud.ids);
    expect([...cloud.ids.slice(0, 5)]).not.toEqual(ids.slice(0, 5));
    const odd = new Cloud([9, 2, 5], new Float32Array(9), 3);
    expect([9, 2, 5, 3].map((id) => odd.ids[odd.find(id)])).toEqual([9, 2, 5, undefined]);
  });
});

function encode(names: readonly string[], rows: readonly [number, number][]): ArrayBuffer {
  const text = new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));
  const bytes = new Uint8Array(16 + 12 * rows.length + text.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('MPC1'));
  view.setUint32(4, names.length, true);
  view.setUint32(8, rows.length, true);
  rows.forEach(([id, value], i) => {
    view.setBigInt64(16 + 8 * i, BigInt(id), true);
    view.setFloat32(16 + 8 * rows.length + 4 * i, value, true);
  });
  bytes.set(text, 16 + 12 * rows.length);
  return bytes.buffer;
}

describe('colours', () => {
  const cloud = new Cloud([2, 4, 6, 8], new Float32Array(8), 2);
  const at = (values: Uint8Array) => [2, 4, 6, 8].map((id) => values[cloud.find(id)]);

  it('are read by picture, whoever else is told of', () => {
    const raw = encode(['sea', 'ünder\u2019'], [[1, 0], [2, 1], [4, -1], [8, 1], [9, 0]]); // prettier-ignore
    const made = coloringOf(decodeColors(raw), cloud);
    if (made.kind !== 'category') throw new Error('no categories');
    expect(made.categories).toEqual([{ name: 'ünder\u2019', count: 2 }]);
    expect(at(made.values)).toEqual([0, NONE, NONE, 0]);
    expect(made.rest).toBe(2);
  });

  it('keep the largest categories apart', () => {
    const names = Array.from({ length: 30 }, (_, i) => `tag ${i}`);
    const ids = Array.from({ length: 465 }, (_, i) => i + 1);
    const large = new Cloud(ids, new Float32Array(930), 2);
    const rows = ids.map((id): [number, number] => [id, Math.floor((Math.sqrt(8 * id - 7) - 1) / 2)]);
    const made = coloringOf(decodeColors(encode(names, rows)), large);
    if (made.kind !== 'category') throw new Error('no categories');
    expect(made.categories).toHaveLength(MOST_CATEGORIES);
    expect(made.categories[0]).toEqual({ name: 'tag 29', count: 30 });
    expect(made.rest + made.categories.reduce((sum, { count }) => sum + count, 0)).toBe(465);
  });

  it('go from the least to the most', () => {
    const made = coloringOf(decodeColors(encode([], [[2, 10], [4, 20], [6, NaN], [8, 30]])), cloud); // prettier-ignore
    expect(made).toMatchObject({ kind: 'scale', low: 10, high: 30, rest: 1 });
    expect(at(made.values)).toEqual([0, 127, NONE, 254]);
  });

  it('of another kind are refused', () => {
    expect(() => decodeColors(new ArrayBuffer(3))).toThrow(RangeError);
    expect(() => decodeColors(encode(['a'], [[1, 2]]).slice(0, 20))).toThrow(RangeError);
  });
});

describe('a look', () => {
  it('tells hits, chosen and hidden ones by the last byte', () => {
    const look = new Look(5);
    look.values.set([0, 0, 1, 1, NONE]);
    look.mark([1], [2, 3], new Set([NONE]));
    look.paint('category', 'light', true);
    const ranks = [0, 1, 2, 3, 4].map((place) => look.colors[4 * place + 3]);
    expect(ranks).toEqual([1, 3, 4, 4, 0]);
    expect(look.seen(4)).toBe(false);
    look.mark([], [], new Set());
    look.paint('category', 'light', false);
    expect([0, 1, 2, 3, 4].map((place) => look.colors[4 * place + 3])).toEqual([2, 2, 2, 2, 2]);
  });
});

describe('clusters', () => {
  it('are what lies together, the largest first', () => {
    const random = randomOf(5);
    const middles: [number, number][] = [[-0.8, -0.8], [0.8, 0], [0, 0.8]]; // prettier-ignore
    const points = new Float32Array(3 * 6000);
    const own = new Uint8Array(6000);
    for (let i = 0; i < 6000; i++) {
      own[i] = i % 6 === 0 ? 2 : i % 2 === 0 ? 1 : 0;
      const [x, y] = middles[own[i] ?? 0] ?? [0, 0];
      points.set([x + (random() - 0.5) * 0.2, y + (random() - 0.5) * 0.2, 0], 3 * i);
    }
    const { values, sizes } = kMeans(points, 3);
    expect(sizes).toEqual([3000, 2000, 1000]);
    expect(values).toEqual(own);
    expect(kMeans(new Float32Array(3), 8).sizes).toEqual([1]);
    expect(kMeans(new Float32Array(0), 8).sizes).toEqual([]);
  });
});

describe('a selection', () => {
  const places = (...list: number[]) => Uint32Array.from(list);

  it('is replaced, grown and shrunk', () => {
    expect(changed(places(1, 2), places(2, 3), 'replace', 9)).toEqual(places(2, 3));
    expect(changed(places(1, 2), places(2, 3), 'add', 9)).toEqual(places(1, 2, 3));
    expect(changed(places(1, 2), places(2, 3), 'remove', 9)).toEqual(places(1));
    expect(toggled(places(1, 2), 2)).toEqual(places(1));
    expect(toggled(places(1), 4)).toEqual(places(1, 4));
    expect(gathered([0, 1, 1])).toEqual(places(1, 2));
  });

  it('becomes a filter while that is short', () => {
    expect(filterOf([5])).toBe('id:5');
    expect(filterOf([7, 5, 6, 9])).toBe('(id>=5 id<=7) OR id:9');
    expect(filterOf(Array.from({ length: 4000 }, (_, i) => i))).toBe('(id>=0 id<=3999)');
    expect(filterOf(Array.from({ length: 200 }, (_, i) => 2 * i))).toBeUndefined();
  });
});
