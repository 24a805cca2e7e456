import { describe, expect, it, vi } from 'vitest';
import { MagpieError, type Tokens } from '../src/index.js';
import { fake, json, problem } from './fake.js';

const fresh = { access_token: 'new', refresh_token: 'r2', user: { id: 1 } };

/** Lets in whoever shows the token `new`. */
function guarded(refreshed: () => Response) {
  return ({ url, headers }: { url: string; headers: Headers }) => {
    if (url.endsWith('/api/auth/refresh')) return refreshed();
    return headers.get('Authorization') === 'Bearer new' ? json({ ok: true }) : problem(401);
  };
}

describe('tokens', () => {
  it('are renewed once for all that are refused together', async () => {
    const onTokens = vi.fn();
    const { magpie, asked } = fake(
      guarded(() => json(fresh)),
      { tokens: { access: 'old', refresh: 'r1' }, onTokens },
    );
    const all = await Promise.all(Array.from({ length: 8 }, () => magpie.json('GET', '/api/stats')));
    expect(all).toHaveLength(8);
    expect(asked.filter((a) => a.url.endsWith('refresh'))).toHaveLength(1);
    expect(asked.find((a) => a.url.endsWith('refresh'))?.body).toBe('{"refresh_token":"r1"}');
    expect(onTokens.mock.calls).toEqual([[{ access: 'new', refresh: 'r2' }]]);
  });

  it('are asked for first where only a refresh token is at hand', async () => {
    const { magpie, asked } = fake(
      guarded(() => json(fresh)),
      { tokens: { refresh: 'r1' } },
    );
    await magpie.json('GET', '/api/stats');
    expect(asked.map((a) => a.url)).toEqual(['http://fake/api/auth/refresh', 'http://fake/api/stats']);
  });

  it('are renewed for the typed operations too, with their bodies', async () => {
    const { magpie, asked } = fake(
      guarded(() => json(fresh)),
      { tokens: { access: 'old', refresh: 'r1' } },
    );
    await magpie.api.POST('/api/search/text', { body: { text: 'sea' } });
    const bodies = asked
      .filter((a) => a.url.endsWith('text'))
      .map((a) => new TextDecoder().decode(a.body as ArrayBuffer));
    expect(bodies).toEqual(['{"text":"sea"}', '{"text":"sea"}']);
  });

  it('are forgotten when the refresh is refused', async () => {
    const onTokens = vi.fn();
    const { magpie } = fake(
      guarded(() => problem(401)),
      { tokens: { access: 'old', refresh: 'r1' }, onTokens },
    );
    await expect(magpie.json('GET', '/api/stats')).rejects.toMatchObject({ status: 401, requestId: 'r1' });
    expect(magpie.tokens).toBeNull();
    expect(onTokens.mock.calls).toEqual([[null]]);
  });

  it('are kept when the service is busy', async () => {
    const tokens = { access: 'old', refresh: 'r1' };
    const { magpie } = fake(
      guarded(() => problem(503)),
      { tokens },
    );
    await expect(magpie.json('GET', '/api/stats')).rejects.toMatchObject({ status: 503 });
    expect(magpie.tokens).toEqual(tokens);
  });

  it('of a sign-in during a refresh stay', async () => {
    let release: (response: Response) => void = () => undefined;
    const waiting = new Promise<Response>((resolve) => {
      release = resolve;
    });
    const { magpie } = fake(
      ({ url, headers }) => {
        if (url.endsWith('refresh')) return waiting;
        return headers.get('Authorization') === 'Bearer mine' ? json({}) : problem(401);
      },
      { tokens: { access: 'old', refresh: 'r1' } },
    );
    const answer = magpie.json('GET', '/api/stats');
    await new Promise((resolve) => setTimeout(resolve, 10));
    const mine: Tokens = { access: 'mine', refresh: 'm2' };
    magpie.setTokens(mine);
    release(json(fresh));
    await answer;
    expect(magpie.tokens).toEqual(mine);
  });

  it('are not renewed for a wrong password', async () => {
    const { magpie, asked } = fake(() => problem(401), { tokens: { access: 'old', refresh: 'r1' } });
    await expect(magpie.login({ username: 'ada', password: 'wrong' })).rejects.toBeInstanceOf(MagpieError);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.headers.has('Authorization')).toBe(false);
  });

  it('give way to an API key', async () => {
    const { magpie, asked } = fake(() => problem(401), { apiKey: 'mpk_1_x' });
    await expect(magpie.json('GET', '/api/stats')).rejects.toMatchObject({ status: 401 });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.headers.get('X-API-Key')).toBe('mpk_1_x');
  });

  it('are gone after logout, even when it was over already', async () => {
    const { magpie } = fake(() => problem(401), { tokens: { access: 'old' } });
    await magpie.logout();
    expect(magpie.tokens).toBeNull();
  });
});

describe('a session in a cookie', () => {
  const made = { access_token: 'new', user: { id: 1 } };

  it('is asked for when signing in, and goes on without a token of ours', async () => {
    const onTokens = vi.fn();
    const { magpie, asked } = fake(({ url }) => (url.endsWith('/api/stats') ? json({}) : json(made)), {
      cookie: true,
      onTokens,
    });
    await magpie.login({ username: 'ada', password: 'pw' });
    expect(JSON.parse(asked[0]?.body as string)).toEqual({ username: 'ada', password: 'pw', cookie: true });
    expect(magpie.tokens?.refresh).toBeUndefined();
    await magpie.json('GET', '/api/stats');
    expect(asked[1]?.headers.get('Authorization')).toBe('Bearer new');
  });

  it('is taken up by a page that is opened', async () => {
    const { magpie, asked } = fake(
      guarded(() => json(made)),
      { cookie: true },
    );
    expect(await magpie.resume()).toBe(true);
    expect(asked[0]?.body).toBe('{}');
    expect(asked[0]?.headers.get('X-Requested-With')).toBe('magpie');
    await magpie.json('GET', '/api/stats');
    expect(asked).toHaveLength(2);
  });

  it('is not there without a cookie: nothing is asked twice', async () => {
    const onTokens = vi.fn();
    const { magpie, asked } = fake(() => problem(401), { cookie: true, onTokens });
    expect(await magpie.resume()).toBe(false);
    await expect(magpie.json('GET', '/api/stats')).rejects.toMatchObject({ status: 401 });
    expect(asked.map((a) => a.url)).toEqual(['http://fake/api/auth/refresh', 'http://fake/api/stats']);
    expect(onTokens.mock.calls).toEqual([[null]]);
  });

  it('is renewed by one tab at a time', async () => {
    let inside = 0;
    let most = 0;
    let queue = Promise.resolve();
    const request = (_: string, act: () => Promise<unknown>) => {
      const turn = queue.then(act);
      queue = turn.then(() => undefined);
      return turn;
    };
    vi.stubGlobal('navigator', { locks: { request } });
    try {
      const reply = async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside--;
        return json(made);
      };
      const tabs = Array.from({ length: 4 }, () => fake(reply, { cookie: true }).magpie);
      expect(await Promise.all(tabs.map((tab) => tab.resume()))).toEqual([true, true, true, true]);
      expect(most).toBe(1);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
