import { afterEach, describe, expect, it, vi } from 'vitest';
import { MagpieError } from '../src/index.js';
import { fake, json, problem } from './fake.js';

afterEach(() => {
  vi.useRealTimers();
});

describe('a GET', () => {
  it.each([429, 503])('is said again after %i when Retry-After is over', async (status) => {
    vi.useFakeTimers();
    const { magpie, asked } = fake((_, n) =>
      n === 1 ? problem(status, { 'Retry-After': '7' }) : json({ ok: 1 }),
    );
    const answer = magpie.json('GET', '/api/stats');
    await vi.advanceTimersByTimeAsync(6900);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(await answer).toEqual({ ok: 1 });
  });

  it('takes Retry-After as a date', async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    const { magpie, asked } = fake((_, n) =>
      n === 1 ? problem(503, { 'Retry-After': 'Thu, 01 Jan 2026 00:00:05 GMT' }) : json({}),
    );
    const answer = magpie.json('GET', '/api/stats');
    await vi.advanceTimersByTimeAsync(4900);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    await answer;
  });

  it('is given up after the retries, and at once where the wait is too long', async () => {
    const often = fake(() => problem(503, { 'Retry-After': '0' }), { retries: 2 });
    await expect(often.magpie.json('GET', '/api/stats')).rejects.toMatchObject({ status: 503 });
    expect(often.asked).toHaveLength(3);
    const long = fake(() => problem(429, { 'Retry-After': '3600' }));
    await expect(long.magpie.json('GET', '/api/stats')).rejects.toMatchObject({
      status: 429,
      retryAfter: 3600,
    });
    expect(long.asked).toHaveLength(1);
  });

  it('stops waiting when the signal is raised', async () => {
    const stop = new AbortController();
    const { magpie } = fake(() => problem(503, { 'Retry-After': '20' }));
    const answer = magpie.json('GET', '/api/stats', { signal: stop.signal });
    setTimeout(() => {
      stop.abort();
    }, 10);
    await expect(answer).rejects.toThrow(/abort/i);
  });
});

describe('a refusal', () => {
  it('of what changes things is not said again', async () => {
    const { magpie, asked } = fake(() => problem(503, { 'Retry-After': '0' }));
    await expect(magpie.addJob({ type: 'processing' })).rejects.toBeInstanceOf(MagpieError);
    expect(asked).toHaveLength(1);
  });

  it('says what the problem says', async () => {
    const { magpie } = fake(() => problem(422));
    const error: unknown = await magpie.api.GET('/api/stats').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MagpieError);
    expect(error).toMatchObject({ status: 422, detail: 'words', requestId: 'r1', title: 'Title' });
    expect(String(error)).toBe('MagpieError: 422: words');
  });

  it('that is a page of something before the service has words too', async () => {
    const { magpie } = fake(
      () =>
        new Response('<html>', { status: 502, statusText: 'Bad Gateway', headers: { 'X-Request-Id': 'r9' } }),
    );
    await expect(magpie.json('GET', '/api/stats')).rejects.toMatchObject({
      status: 502,
      detail: 'Bad Gateway',
      requestId: 'r9',
      body: '<html>',
    });
  });

  it('with JSON that is cut off keeps its text', async () => {
    const { magpie } = fake(
      () => new Response('{"detail": ', { status: 500, headers: { 'Content-Type': 'application/json' } }),
    );
    await expect(magpie.json('GET', '/api/stats')).rejects.toMatchObject({
      status: 500,
      body: '{"detail": ',
    });
  });
});
