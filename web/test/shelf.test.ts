import { MagpieError } from '@magpie/client';
import { describe, expect, it } from 'vitest';
import { dropSearch, keepSearch, queryOf, readSearches, sameSearch } from '@/lib/searches';
import { wayBack } from '@/pages/library/changes';
import { monthsOf } from '@/pages/library/Jump';
import { matchOf } from '@/upload/gate';
import { cameraOf, exposureOf, focalOf, placeOf, secondsOf } from '@/viewer/exif';

describe('tags of many pictures', () => {
  const had = new Map([
    [1, new Set(['sea', 'sun'])],
    [2, new Set(['sun'])],
    [3, new Set<string>()],
  ]);

  it('go back to what was there before, whatever their case', () => {
    expect(wayBack([1, 2, 3], had, ['Sea', 'new'], ['SUN'])).toEqual([
      { ids: [2, 3], remove_tags: ['Sea'] },
      { ids: [1, 2, 3], remove_tags: ['new'] },
      { ids: [1, 2], add_tags: ['SUN'] },
    ]);
  });

  it('are left alone where nothing changed, or nothing is known', () => {
    expect(wayBack([1], had, ['sea'], ['none'])).toEqual([]);
    expect(wayBack([9], had, ['sea'], ['sun'])).toEqual([]);
    // Under both: it is added in the end.
    expect(wayBack([3], had, ['sun'], ['Sun'])).toEqual([{ ids: [3], remove_tags: ['sun'] }]);
  });
});

describe('months', () => {
  it('are one each, however many segments they have', () => {
    const of = (month: string, count: number) => ({ month, count, ratio: 1, cursor: null });
    expect(monthsOf([of('2026-02', 200), of('2026-02', 3), of('2026-01', 5)])).toEqual([
      { month: '2026-02', count: 203 },
      { month: '2026-01', count: 5 },
    ]);
  });
});

describe('what a camera wrote', () => {
  it('is told as photographers do', () => {
    expect(cameraOf({ make: 'Canon', model: 'Canon EOS R6' })).toBe('Canon EOS R6');
    expect(cameraOf({ make: 'NIKON CORPORATION', model: 'NIKON Z 6' })).toBe('NIKON Z 6');
    expect(cameraOf({ make: 'Apple', model: 'iPhone 15' })).toBe('Apple iPhone 15');
    expect(cameraOf({ make: 'Apple' })).toBe('Apple');
    expect(cameraOf({})).toBe('');
    expect([0.008, 0.25, 0.5, 30].map(secondsOf)).toEqual(['1/125 s', '1/4 s', '0.5 s', '30 s']);
    expect(exposureOf({ exposure_s: 0.008, f_number: 2.8, iso: 12800, exposure_bias_ev: -0.5 })).toBe(
      '1/125 s · f/2.8 · ISO 12800 · -0.5 EV',
    );
    expect(exposureOf({ iso: 100, exposure_bias_ev: 0 })).toBe('ISO 100');
    expect(focalOf({ focal_length_mm: 50, focal_length_35mm: 75 })).toBe('50 mm (as 75 mm on film)');
    expect(focalOf({ focal_length_mm: 50, focal_length_35mm: 50 })).toBe('50 mm');
    expect(focalOf({})).toBe('');
  });

  it('has a place only with both numbers', () => {
    expect(placeOf({ latitude: 1 })).toBeNull();
    expect(placeOf({ latitude: -33.86, longitude: 151.2 })).toEqual({
      text: '33.8600° S, 151.2000° E',
      url: 'https://www.openstreetmap.org/?mlat=-33.86000&mlon=151.20000#map=15/-33.86000/151.20000',
    });
  });
});

describe('a refusal because of a copy', () => {
  const refusal = (status: number, body: object) =>
    MagpieError.of(
      new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/problem+json' } }),
    );

  it('is told from others', async () => {
    const match = { id: 4, image_id: '4', score: 0.9, relation: 'recoded', preview_url: '/x' };
    expect(matchOf(await refusal(409, { detail: 'the same', match }))).toEqual(match);
    expect(matchOf(await refusal(409, { detail: 'archived' }))).toBeNull();
    expect(matchOf(await refusal(422, { match }))).toBeNull();
    expect(matchOf(new TypeError('gone'))).toBeNull();
  });
});

describe('saved searches', () => {
  it('are read from whatever lies in the browser', () => {
    const good = { name: 'Sea', query: { q: 'sea' } };
    expect(readSearches(JSON.stringify([good]))).toEqual([good]);
    expect(readSearches(JSON.stringify([{ name: 'x', query: { q: 'a', evil: 'b', mix: 3 } }]))).toEqual([
      { name: 'x', query: { q: 'a' } },
    ]);
    for (const bad of [
      null,
      '',
      '{',
      '{}',
      '[1]',
      '[{"name":"","query":{"q":"a"}}]',
      '[{"name":"x","query":{}}]',
    ])
      expect(readSearches(bad)).toEqual([]);
  });

  it('are what makes a search, and nothing else of the address', () => {
    expect(queryOf({ q: 'sea', image: '4', min: '0.2' })).toEqual({ q: 'sea', min: '0.2' });
    expect(queryOf({ min: '0.2', image: '4' })).toBeNull();
    expect(sameSearch({ q: 'sea' }, { q: 'sea', min: '' })).toBe(true);
    expect(sameSearch({ q: 'sea' }, { q: 'sea', mix: 'text:1:x' })).toBe(false);
  });

  it('are kept by name, each user their own', () => {
    keepSearch(1, { name: 'b', query: { q: 'old' } });
    keepSearch(1, { name: 'a', query: { q: 'x' } });
    keepSearch(1, { name: 'b', query: { q: 'new' } });
    keepSearch(2, { name: 'b', query: { q: 'other' } });
    const kept = () => readSearches(localStorage.getItem('magpie.searches.1'));
    expect(kept()).toEqual([
      { name: 'a', query: { q: 'x' } },
      { name: 'b', query: { q: 'new' } },
    ]);
    dropSearch(1, 'a');
    expect(kept().map(({ name }) => name)).toEqual(['b']);
    expect(readSearches(localStorage.getItem('magpie.searches.2'))).toHaveLength(1);
  });
});
