import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeMap, Magpie, paginate, type components, type Job } from '../src/index.js';
import { fake, json, problem } from './fake.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('lists', () => {
  it('are asked for page by page, and no further than they are read', async () => {
    const { magpie, asked } = fake(({ url }) => {
      const cursor = Number(new URL(url).searchParams.get('cursor') ?? 0);
      return json({ versions: [{ number: cursor }], next_cursor: cursor < 2 ? String(cursor + 1) : null });
    });
    const numbers: number[] = [];
    const init = { path: { id: 5 }, query: { limit: 1 } };
    for await (const row of magpie.items('/api/assets/{id}/versions', 'versions', init))
      numbers.push(row.number);
    expect(numbers).toEqual([0, 1, 2]);
    expect(asked[1]?.url).toBe('http://fake/api/assets/5/versions?limit=1&cursor=1');
    asked.length = 0;
    for await (const row of magpie.items('/api/assets/{id}/versions', 'versions', init)) {
      expect(row.number).toBe(0);
      break;
    }
    expect(asked).toHaveLength(1);
  });

  it('have types of their own', () => {
    const { magpie } = fake(() => json({}));
    // Nothing is asked for before the first row is: these are for the compiler.
    // @ts-expect-error: this is no list
    magpie.items('/api/stats', 'images');
    // @ts-expect-error: no member with rows
    magpie.items('/api/images', 'total');
    // @ts-expect-error: the path has a parameter
    magpie.items('/api/assets/{id}/versions', 'versions');
    // @ts-expect-error: no such sort
    magpie.items('/api/images', 'images', { query: { sort: 'colour' } });
    const rows: AsyncGenerator<components['schemas']['Image']> = magpie.items('/api/images', 'images');
    expect(rows).toBeDefined();
  });

  it('can be made of any pages', async () => {
    const seen: unknown[] = [];
    const pages = paginate(
      (cursor) => {
        seen.push(cursor);
        return Promise.resolve({ rows: [1, 2], next_cursor: cursor ? null : 'x' });
      },
      ({ rows }) => rows,
    );
    let sum = 0;
    for await (const n of pages) sum += n;
    expect(sum).toBe(6);
    expect(seen).toEqual([undefined, 'x']);
  });
});

describe('maps', () => {
  function bytes(dims: number, ids: bigint[], positions: number[]): ArrayBuffer {
    const buffer = new ArrayBuffer(16 + 8 * ids.length + 4 * positions.length);
    const view = new DataView(buffer);
    new Uint8Array(buffer).set(new TextEncoder().encode('MPM1'));
    view.setUint32(4, dims, true);
    view.setBigUint64(8, BigInt(ids.length), true);
    ids.forEach((id, i) => {
      view.setBigInt64(16 + 8 * i, id, true);
    });
    positions.forEach((p, i) => {
      view.setFloat32(16 + 8 * ids.length + 4 * i, p, true);
    });
    return buffer;
  }

  it('hold ids and positions', () => {
    const map = decodeMap(bytes(3, [7n, 2n ** 40n], [0, 0.5, -1, 1, -0.25, 0]));
    expect(map).toEqual({
      dims: 3,
      ids: [7, 2 ** 40],
      positions: new Float32Array([0, 0.5, -1, 1, -0.25, 0]),
    });
    expect(decodeMap(bytes(2, [], []))).toEqual({ dims: 2, ids: [], positions: new Float32Array() });
  });

  it('that are none are refused', () => {
    const good = bytes(2, [1n], [0, 0]);
    const huge = good.slice(0);
    new DataView(huge).setBigUint64(8, 2n ** 63n, true);
    const bad = [
      new ArrayBuffer(0),
      new ArrayBuffer(32),
      good.slice(0, 31),
      huge,
      bytes(4, [1n], [0, 0, 0, 0]),
    ];
    for (const buffer of bad) expect(() => decodeMap(buffer)).toThrow(RangeError);
  });
});

describe('jobs', () => {
  const job = (status: string, done: number) => json({ id: 3, status, progress: { done, total: 4 } });

  it('are waited for, and tell how far they are', async () => {
    const { magpie } = fake(
      (_, n) => [job('queued', 0), job('queued', 0), job('processing', 2)][n - 1] ?? job('failed', 2),
    );
    const told: string[] = [];
    const onProgress = (j: Job) => void told.push(j.status);
    const ended = await magpie.waitForJob(3, { interval: 1, onProgress });
    expect(ended.status).toBe('failed');
    expect(told).toEqual(['queued', 'processing', 'failed']);
  });

  it('are waited for no longer than wanted', async () => {
    const { magpie } = fake(() => job('queued', 0));
    await expect(magpie.waitForJob(3, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

describe('uploads', () => {
  const file = { name: 'a.JPG', data: new Blob([new Uint8Array(10)]) };

  it('tell of each file where all were refused', async () => {
    const body = { status: 'refused', images: [], added: 0, known: 0, refused: 2 };
    const answer = () =>
      new Response(JSON.stringify(body), { status: 422, headers: { 'Content-Type': 'application/json' } });
    expect(await fake(answer).magpie.upload([file, file])).toEqual(body);
    await expect(fake(() => problem(422)).magpie.upload([file])).rejects.toMatchObject({ status: 422 });
  });

  it('of any type go to their project, and new versions to their asset', async () => {
    const { magpie, asked } = fake(() => json({ status: 'ok' }));
    await magpie.addAssets(7, [file], { type: 'document', metadata: { station: 'pier' } });
    await magpie.addVersion(31, file);
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST http://fake/api/projects/7/assets',
      'POST http://fake/api/assets/31/versions',
    ]);
    const form = asked[0]?.body as FormData;
    expect([...form.keys()]).toEqual(['type', 'metadata', 'files']);
    expect(form.get('metadata')).toBe('{"station":"pier"}');
    expect([...(asked[1]?.body as FormData).keys()]).toEqual(['files']);
  });

  it('over a link do not show who asks', async () => {
    const { magpie, asked } = fake(
      ({ url }) =>
        url.endsWith('/api/presign/upload')
          ? json({
              upload_url: 'http://elsewhere/put?sig=1',
              key: 'k',
              headers: { 'Content-Type': 'image/jpeg' },
            })
          : json({ id: 1, status: 'added' }),
      { tokens: { access: 'mine' } },
    );
    await magpie.uploadByLink(file, { title: 'A' });
    expect(asked[0]?.body).toBe('{"file_name":"a.JPG","file_type":"image/jpeg","file_size":10}');
    expect(asked[1]?.url).toBe('http://elsewhere/put?sig=1');
    expect(asked[1]?.headers.has('Authorization')).toBe(false);
    expect(asked[1]?.headers.get('Content-Type')).toBe('image/jpeg');
    expect(asked[2]?.body).toBe('{"key":"k","title":"A"}');
  });

  it('over a link tell the key, so that what was refused is taken in without its bytes', async () => {
    let match = true;
    const { magpie, asked } = fake(({ url }) => {
      if (url.endsWith('/api/presign/upload')) return json({ upload_url: 'http://elsewhere/put', key: 'k' });
      return url.endsWith('/ingest') && match ? problem(409) : json({ id: 1, status: 'added' });
    });
    const keys: string[] = [];
    const onStored = (key: string) => keys.push(key);
    const sent = magpie.uploadByLink(file, { near_duplicates: 'refuse', onStored });
    await expect(sent).rejects.toMatchObject({ status: 409 });
    expect(keys).toEqual(['k']);
    match = false;
    await magpie.ingest('k', { near_duplicates: 'keep' });
    expect(asked.slice(2).map(({ body }) => body)).toEqual([
      '{"key":"k","near_duplicates":"refuse"}',
      '{"key":"k","near_duplicates":"keep"}',
    ]);
  });

  it('tell progress where XMLHttpRequest exists, and sign in as all do', async () => {
    const sent: { url: string; headers: Record<string, string>; body: unknown }[] = [];
    class FakeXhr {
      upload: { onprogress?: (e: object) => void } = {};
      onload?: () => void;
      status = 200;
      statusText = 'OK';
      response = new ArrayBuffer(0);
      private readonly headers: Record<string, string> = {};
      private url = '';
      open(_: string, url: string) {
        this.url = url;
      }
      setRequestHeader(name: string, value: string) {
        this.headers[name] = value;
      }
      getAllResponseHeaders() {
        return 'content-type: application/json\r\n';
      }
      send(body: unknown) {
        sent.push({ url: this.url, headers: this.headers, body });
        this.upload.onprogress?.({ loaded: 5, total: 10, lengthComputable: true });
        this.status = sent.length === 1 ? 401 : 201;
        this.response = new TextEncoder().encode('{"added": 1}').buffer;
        this.onload?.();
      }
    }
    vi.stubGlobal('XMLHttpRequest', FakeXhr);
    const { magpie } = fake(() => json({ access_token: 'new', refresh_token: 'r2' }), {
      tokens: { access: 'old', refresh: 'r1' },
    });
    const told: unknown[] = [];
    const answer = await magpie.upload([file], {
      tags: ['a', 'b'],
      onProgress: (...at) => void told.push(at),
    });
    expect(answer.added).toBe(1);
    expect(told).toEqual([
      [5, 10],
      [5, 10],
    ]);
    expect(sent.map((s) => s.headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    expect((sent[1]?.body as FormData).get('tags')).toBe('a,b');
  });
});

describe('links', () => {
  it('are made whole where the service is elsewhere', () => {
    expect(new Magpie({ baseUrl: 'http://a:1/' }).absolute('/api/x?sig=1')).toBe('http://a:1/api/x?sig=1');
    expect(new Magpie().absolute('/api/x')).toBe('/api/x');
  });
});
