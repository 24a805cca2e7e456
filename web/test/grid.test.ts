import { describe, expect, it } from 'vitest';
import { estimate, GAP, justify, ratioOf } from '@/grid/justify';
import { MOST_HEIGHT, ScrollMap } from '@/grid/scroll';
import { sectionAt, sectionsOf, topsOf } from '@/grid/sections';
import { Selection } from '@/grid/select';

/** Numbers that look random and are always the same. */
function shapes(n: number, seed = 7): number[] {
  return Array.from({ length: n }, () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return 0.5 + (seed / 2147483648) * 1.7;
  });
}

describe('rows', () => {
  it('fill the width, but for the last one', () => {
    const ratios = shapes(200);
    const { boxes, height } = justify(ratios, 1200, 200, false);
    expect(boxes).toHaveLength(200);
    const rows = new Map<number, typeof boxes>();
    for (const box of boxes) rows.set(box.y, [...(rows.get(box.y) ?? []), box]);
    const bottoms = [...rows.entries()];
    bottoms.forEach(([y, row], i) => {
      const right = Math.max(...row.map((box) => box.x + box.width));
      if (i < bottoms.length - 1) {
        expect(right).toBeCloseTo(1200, 3);
        expect(row[0]?.height).toBeGreaterThan(130);
        expect(row[0]?.height).toBeLessThan(300);
        expect(bottoms[i + 1]?.[0]).toBeCloseTo(y + (row[0]?.height ?? 0) + GAP, 3);
      } else {
        expect(right).toBeLessThanOrEqual(1200.001);
        expect(y + (row[0]?.height ?? 0)).toBeCloseTo(height, 3);
      }
    });
    boxes.forEach((box, i) => expect(box.width / box.height).toBeCloseTo(ratios[i] ?? 0, 6));
  });

  it('take anything: nothing, one, panoramas, a width of a phone', () => {
    expect(justify([], 800, 200, true)).toEqual({ boxes: [], height: 0 });
    expect(justify([1.5], 800, 200, false).boxes).toEqual([{ x: 0, y: 0, width: 300, height: 200 }]);
    const { boxes } = justify([4, 4, 0.25, 0.25, 4], 320, 160, false);
    for (const box of boxes) expect(box.x + box.width).toBeLessThanOrEqual(320.001);
    expect(ratioOf(10_000, 1)).toBe(4);
    expect(ratioOf(1, 10_000)).toBe(0.25);
    expect(ratioOf(0, 0)).toBe(1);
  });

  it('are as high as was estimated, within a tenth on a desk', () => {
    for (const width of [360, 900, 1400, 2500]) {
      const ratios = shapes(200, width);
      const sum = ratios.reduce((a, b) => a + b, 0);
      const real = justify(ratios, width, 200, true).height;
      expect(Math.abs(estimate(200, sum, width, 200) / real - 1)).toBeLessThan(width > 800 ? 0.1 : 0.25);
    }
  });
});

describe('a very long page', () => {
  it('is what it is where it fits', () => {
    const map = new ScrollMap();
    expect(map.resize(50_000, 900)).toBe(0);
    expect(map.moved(1234)).toBe(1234);
    expect([map.at, map.offset, map.height]).toEqual([1234, 0, 50_000]);
  });

  it('reaches everything, and small movements are exact', () => {
    const map = new ScrollMap();
    const content = 45_000_000;
    map.resize(content, 900);
    expect(map.height).toBe(MOST_HEIGHT);
    let top = 0;
    for (let i = 0; i < 1000; i++) top = map.moved(top + 120);
    expect(map.at).toBe(120_000);
    top = map.moved(MOST_HEIGHT - 900); // the scrollbar, to its end
    expect(map.at).toBe(content - 900);
    for (let i = 0; i < 500; i++) top = map.moved(top - 100);
    expect(map.at).toBe(content - 900 - 50_000);
    map.moved(map.go(20_000_000));
    expect(map.at).toBe(20_000_000);
  });

  it('does not end before its end, nor begin after its beginning', () => {
    const map = new ScrollMap();
    map.resize(45_000_000, 900);
    let top = map.go(120_000); // shifted already
    for (let i = 0; i < 1201; i++) top = map.moved(Math.max(0, top - 100));
    expect(map.at).toBe(0);
    expect(top).toBe(0);
  });

  it('keeps what is seen when it grows', () => {
    const map = new ScrollMap();
    map.resize(20_000_000, 900);
    map.moved(map.go(15_000_000));
    map.moved(map.resize(20_000_500, 900));
    expect(map.at).toBe(15_000_000);
  });
});

describe('sections', () => {
  const segments = Array.from({ length: 5000 }, (_, i) => ({
    month: `20${String(10 + Math.floor(i / 500)).padStart(2, '0')}-01`,
    count: 200,
    ratio: 290,
    cursor: i ? String(i) : null,
  }));

  it('are found by where they lie, among a million pictures', () => {
    const sections = sectionsOf(segments);
    expect(sections[4999]?.first).toBe(999_800);
    expect(sections.filter((one) => one.heading)).toHaveLength(10);
    const tops = topsOf(sections, new Map([[3, 1234]]), 1300, 200);
    for (let i = 0; i < 1000; i++) {
      const at = sectionAt(tops, (tops[5000] ?? 0) * (i / 1000));
      expect(tops[at]).toBeLessThanOrEqual((tops[5000] ?? 0) * (i / 1000));
    }
    expect(sectionAt(tops, -5)).toBe(0);
    expect(sectionAt(tops, 1e12)).toBe(4999);
  });

  it('of nothing are none', () => {
    expect([...topsOf(sectionsOf([]), new Map(), 800, 200)]).toEqual([0]);
  });
});

describe('a selection', () => {
  it('is one, some, more, fewer', () => {
    let chosen = new Selection().only(7, 0).toggle(9, 2);
    expect([...chosen.ids]).toEqual([7, 9]);
    expect(chosen.anchor).toBe(2);
    chosen = chosen.toggle(7, 0).add([1, 2, 9]);
    expect([...chosen.ids]).toEqual([9, 1, 2]);
    expect([...chosen.without([1]).ids]).toEqual([9, 2]);
  });
});
