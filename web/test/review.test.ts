import { describe, expect, it } from 'vitest';
import { secondsLeft } from '@/lib/job';
import { index, keyOf } from '@/lib/verdicts';
import { barOf, csv, lineOf, nearestRate, type Odd } from '@/pages/anomalies/odd';
import { quoted, tagOf } from '@/pages/anomalies/Normals';
import {
  choices,
  clustersOf,
  goes,
  keeperBy,
  keeping,
  ruled,
  savedBy,
  suggestion,
  sumOf,
  toggled,
  type Answer,
  type Member,
} from '@/pages/duplicates/decide';
import { memoryOf } from '@/pages/duplicates/memory';
import { moved, WHOLE, zoomed } from '@/pages/duplicates/useAligned';
import { why } from '@/pages/duplicates/why';

function member(id: number, more: Partial<Member> = {}): Member {
  return {
    image_id: String(id),
    id,
    keep: false,
    score: 0.9,
    reason: 'cropped',
    preview_url: '',
    width: 10,
    height: 10,
    bytes: 100 * id,
    payload: {},
    ...more,
  };
}

function answer(...clusters: Member[][]): Pick<Answer, 'clusters' | 'cluster_info'> {
  return {
    clusters,
    cluster_info: clusters.map((list) => ({
      size: list.length,
      bytes_saved: 0,
      weakest: { score: 0.9, a: 1, b: 2 },
    })),
  };
}

function cluster(...members: Member[]) {
  const [one] = clustersOf(answer(members));
  if (!one) throw new Error('no cluster');
  return one;
}

const kept = member(3, { keep: true, score: 1, reason: 'most pixels (20 x 20)', width: 20, height: 20 });
const exact = member(1, { score: 0.98, reason: 're-encoded' });
const cut = member(2, { score: 0.8 });
const never = () => false;

describe('clusters', () => {
  it('count files of one picture once, and are none when alone', () => {
    expect(clustersOf(answer([kept, kept, exact], [kept, kept], [cut]))).toMatchObject([
      { key: '1-3', members: [{ id: 3 }, { id: 1 }] },
    ]);
  });

  it('of the same picture lose all but one; of similar ones nothing', () => {
    const one = cluster(kept, exact, cut);
    expect(goes(one, suggestion(one, 'same')).map(({ id }) => id)).toEqual([1, 2]);
    expect(goes(one, suggestion(one, 'similar'))).toEqual([]);
    expect(savedBy(one, suggestion(one, 'same'))).toBe(300);
  });

  it('keep another one when asked to', () => {
    const one = cluster(kept, exact, cut);
    expect(goes(one, keeping(suggestion(one, 'same'), 1)).map(({ id }) => id)).toEqual([3, 2]);
    expect(goes(one, keeping(suggestion(one, 'similar'), 1))).toEqual([]);
    expect(goes(one, toggled(suggestion(one, 'same'), 2)).map(({ id }) => id)).toEqual([1]);
    const same = suggestion(one, 'same');
    expect(toggled(same, same.keep)).toBe(same); // what is kept cannot go
  });

  it('go into a plan once they are accepted', () => {
    const one = cluster(kept, exact);
    const accepted = { ...suggestion(one, 'same'), state: 'accepted' as const };
    expect(choices([one], 'same', {})).toEqual([]);
    expect(choices([one], 'same', { [one.key]: accepted })).toEqual([{ keep: 3, remove: [1] }]);
    expect(choices([one], 'same', { [one.key]: { ...accepted, state: 'left' } })).toEqual([]);
    expect(choices([one], 'same', { [one.key]: { ...accepted, stay: [1] } })).toEqual([]);
    expect(sumOf([one], () => accepted)).toEqual({ clusters: 1, pictures: 1, bytes: 100 });
  });
});

describe('a rule', () => {
  const one = cluster(kept, exact, cut);

  it('takes what is sure enough and leaves the rest', () => {
    expect(ruled(one, { exact: false, score: 0.9, keeper: 'suggested' }, never)).toEqual({
      keep: 3,
      stay: [2],
      state: 'accepted',
    });
    expect(ruled(one, { exact: true, score: 0.5, keeper: 'suggested' }, never)?.stay).toEqual([2]);
    expect(ruled(one, { exact: false, score: 0.99, keeper: 'suggested' }, never)).toBeNull();
  });

  it('never takes what somebody called different', () => {
    const rule = { exact: false, score: 0.5, keeper: 'suggested' } as const;
    expect(ruled(one, rule, (a, b) => a === 1 && b === 3)?.stay).toEqual([1]);
  });

  it('keeps by size, bytes and date; of equals the suggested one', () => {
    expect(keeperBy(one, 'pixels')).toBe(3);
    expect(keeperBy(one, 'bytes')).toBe(3);
    expect(keeperBy(one, 'oldest')).toBe(3); // none has a date
    const large = cluster(kept, { ...exact, bytes: 9000 });
    expect(keeperBy(large, 'bytes')).toBe(1);
    // Its link is not good enough to take its place.
    expect(
      ruled(cluster(kept, { ...cut, bytes: 9000 }), { exact: false, score: 0.9, keeper: 'bytes' }, never),
    ).toBeNull();
  });
});

describe('decisions', () => {
  it('outlive the page and are taken back', () => {
    const question = { kind: 'same', threshold: 0, where: '', project: undefined } as const;
    const memory = memoryOf(7, question);
    const back = memory.set({ '1-2': { keep: 1, stay: [], state: 'accepted' } });
    expect(localStorage.getItem('magpie.duplicates.7.same.0.0.')).toContain('"accepted"');
    expect(memoryOf(7, question)).toBe(memory);
    back();
    expect(memory.decisions.get()).toEqual({});
    expect(memoryOf(8, question)).not.toBe(memory); // somebody else's
  });
});

describe('one view for all panes', () => {
  it('zooms around the pointer', () => {
    const at = { x: 40, y: -10 };
    const near = zoomed(WHOLE, 2, at);
    // What was under the pointer still is.
    expect([near.x + near.scale * 40, near.y + near.scale * -10]).toEqual([40, -10]);
    expect(zoomed(near, 0.1, at)).toBe(WHOLE);
    expect(zoomed(near, 1000, at).scale).toBe(24);
  });

  it('keeps the picture in sight', () => {
    const size = { width: 100, height: 50 };
    expect(moved(WHOLE, 10, 10, size)).toBe(WHOLE);
    expect(moved({ scale: 2, x: 0, y: 0 }, 5000, -5000, size)).toEqual({ scale: 2, x: 100, y: -50 });
  });
});

describe('words of the service', () => {
  it('are said in those of the page, or as they came', () => {
    expect(why('most pixels (320 x 240), then oldest')).toBe('most pixels (320 × 240), then oldest');
    expect(why('caption, border or mark')).toBe('caption, border or mark');
    expect(why('something new')).toBe('something new');
    expect(why('constructor')).toBe('constructor');
  });
});

describe('verdicts', () => {
  it('are found by pair in either order', () => {
    const at = '2026-01-01T00:00:00Z';
    const said = index([
      { verdict: 'different', image_id: 2, other_id: 9, note: '', at },
      { verdict: 'note', image_id: 4, other_id: 0, note: 'look', at },
      { verdict: 'normal', image_id: 4, other_id: 0, note: '', at },
    ]);
    expect(said.get(keyOf(9, 2))).toBe('different');
    expect(said.get(keyOf(4))).toBe('normal');
    expect(said.size).toBe(2);
  });
});

describe('time left', () => {
  it('is told once it can be', () => {
    expect(secondsLeft({ at: 0, done: 0 }, 1000, 10, 100)).toBeUndefined();
    expect(secondsLeft({ at: 0, done: 0 }, 10_000, 25, 100)).toBe(30);
    expect(secondsLeft({ at: 0, done: 50 }, 10_000, 50, 100)).toBeUndefined();
  });
});

describe('odd ones', () => {
  const rates = [0.01, 0.05, 0.2].map((alpha, i) => ({ alpha, flagged: i, score: i ? 1 : null }));
  const odd: Odd = {
    image_id: '5',
    anomaly_score: 0.4,
    payload: {},
    preview_url: '',
    id: 5,
    score: 3,
    p_value: 0.05,
    flagged: true,
    heatmap_url: '',
  };

  it('have the nearest rate there is', () => {
    expect([0.001, 0.05, 0.08, 0.9].map((alpha) => nearestRate(rates, alpha))).toEqual([0, 1, 1, 2]);
  });

  it('lie in bars', () => {
    const scores = { from: 0, to: 10, counts: Array<number>(10).fill(1) };
    expect([0, 4.5, 10].map((score) => barOf(scores, score))).toEqual([0, 4, 9]);
    expect(barOf({ from: 1, to: 1, counts: [3, 0] }, 1)).toBe(0);
  });

  it('are written so that no spreadsheet runs them', () => {
    const payload = { name: '=HYPERLINK("x"),1', tags: ['a', 'b'] } as unknown as Odd['payload'];
    const text = csv([lineOf({ ...odd, payload }, 0.05, 'anomaly')]);
    expect(text).toBe(
      'id,name,score,anomaly_score,p_value,flagged,verdict,tags\r\n' +
        '5,"\'=HYPERLINK(""x""),1",3,0.4,0.05,true,anomaly,a b\r\n',
    );
    expect(lineOf(odd, 0.01, undefined)).toMatchObject({ flagged: false, verdict: '', name: '' });
  });

  it('are held against a tag or a filter', () => {
    expect(tagOf(quoted('line "3"'))).toBe('line "3"');
    expect(tagOf('tag:normal')).toBe('normal');
    expect(tagOf('tag:a date>=2024')).toBeNull();
  });
});
