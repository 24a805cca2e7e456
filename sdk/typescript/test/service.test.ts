/* Against the running service at MAGPIE_URL. */
import { describe, expect, it } from 'vitest';
import { isOver, Magpie, MagpieError, unwrap, type JobNews, type Tokens } from '../src/index.js';
import { pictures, signedIn, url } from './service.js';

describe.skipIf(!url)('the service', () => {
  it('renews tokens once for all who ask together', async () => {
    const given: (Tokens | null)[] = [];
    const magpie = await signedIn({ onTokens: (tokens) => given.push(tokens) });
    magpie.setTokens({ access: 'not.a.token', refresh: magpie.tokens?.refresh });
    const all = await Promise.all(Array.from({ length: 8 }, () => unwrap(magpie.api.GET('/api/auth/me'))));
    expect(new Set(all.map((me) => me.user.username))).toEqual(new Set(['bob']));
    expect(given).toHaveLength(3); // of login, of setTokens, of one refresh
    await magpie.logout();
    await expect(magpie.api.GET('/api/auth/me')).rejects.toMatchObject({ status: 401 });
    // The session is over: its refresh token is no good either.
    const late = new Magpie({ baseUrl: url, tokens: { refresh: given[2]?.refresh } });
    await expect(late.api.GET('/api/auth/me')).rejects.toMatchObject({ status: 401 });
    expect(late.tokens).toBeNull();
  });

  it('lets in by API key', async () => {
    const magpie = await signedIn();
    const { key } = await unwrap(
      magpie.api.POST('/api/keys', { body: { name: 'sdk', scopes: ['assets.read'] } }),
    );
    const byKey = new Magpie({ baseUrl: url, apiKey: key });
    expect((await unwrap(byKey.api.GET('/api/auth/me'))).user.username).toBe('bob');
    await expect(byKey.addJob({ type: 'processing' })).rejects.toMatchObject({ status: 403 });
  });

  it('says what is wrong', async () => {
    const magpie = await signedIn();
    const error = (await magpie.json('GET', '/api/images/999999').catch((e: unknown) => e)) as MagpieError;
    expect(error).toBeInstanceOf(MagpieError);
    expect(error.status).toBe(404);
    expect(error.detail).toMatch(/picture/);
    expect(error.requestId).not.toBe('');
  });

  it('takes pictures, as forms and over links, and lists them', async () => {
    const magpie = await signedIn();
    const [first, second, ...rest] = await pictures();
    if (!first || !second) throw new Error('MAGPIE_PICTURES has too few');
    const note = { name: 'note.txt', data: new Blob(['no picture']) };
    const answer = await magpie.upload([...rest, note], { title: 'One of many', tags: ['sea', 'blue'] });
    expect(answer).toMatchObject({ added: rest.length, refused: 1 });
    expect(await magpie.upload([note, note])).toMatchObject({ status: 'refused', refused: 2 });
    const taken = await magpie.uploadByLink(first, { title: 'Over a link' });
    expect(taken).toMatchObject({ status: 'added', title: 'Over a link', name: first.name });
    expect(await magpie.uploadByLink(first)).toMatchObject({ status: 'known', id: taken.id });
    const ids: number[] = [];
    for await (const image of magpie.images({ limit: 2 })) ids.push(image.id);
    expect(ids).toHaveLength(rest.length + 1);
    expect(ids).toContain(taken.id);
    const tagged: string[] = [];
    for await (const image of magpie.items('/api/images', 'images', { query: { tag: 'sea', limit: 2 } }))
      tagged.push(...image.tags);
    expect(tagged).toHaveLength(2 * rest.length);
    const content = await fetch(magpie.absolute('content_url' in taken ? taken.content_url : ''));
    expect((await content.arrayBuffer()).byteLength).toBe(first.data.size);
  });

  it('tells what happens as it happens, and again from where one was', async () => {
    const magpie = await signedIn();
    const [, second] = await pictures();
    if (!second) throw new Error('MAGPIE_PICTURES has too few');
    const stop = new AbortController();
    const heard = (async () => {
      for await (const event of magpie.events({ type: 'image.tagged', signal: stop.signal })) return event;
      return undefined;
    })();
    const { images } = await magpie.upload([second]);
    const id = images[0] && 'id' in images[0] ? images[0].id : 0;
    // The stream begins with now, whenever that is: something happens until it is heard.
    const state = { heard: false };
    void heard.finally(() => (state.heard = true));
    for (let i = 0; !state.heard && i < 50; i++) {
      await magpie.api.PATCH('/api/images/{id}', { params: { path: { id } }, body: { add_tags: [`t${i}`] } });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    stop.abort();
    const event = await heard;
    expect(event).toMatchObject({ type: 'image.tagged', subject: String(id) });
    for await (const again of magpie.events({ type: 'image.', after: (event?.id ?? 0) - 1 })) {
      expect(again).toEqual(event);
      break;
    }
  });

  it('runs jobs, which tell how they go', async () => {
    const magpie = await signedIn();
    const reindex = { type: 'processing', params: { operation: 'reindex' } };
    const job = await magpie.addJob(reindex, 'sdk-reindex');
    expect((await magpie.addJob(reindex, 'sdk-reindex')).id).toBe(job.id);
    const news: JobNews[] = [];
    for await (const one of magpie.jobLogs(job.id)) news.push(one);
    expect(news.some((one) => one.kind === 'log' && one.text.includes('reindex'))).toBe(true);
    expect(news.filter((one) => one.kind === 'status').at(-1)).toMatchObject({ status: 'completed' });
    const ended = await magpie.waitForJob(job.id);
    expect(ended).toMatchObject({ status: 'completed', id: job.id });
    const listed: boolean[] = [];
    for await (const one of magpie.jobs({ type: 'processing', limit: 1 })) listed.push(isOver(one.status));
    expect(listed).not.toHaveLength(0);
    const made = await magpie.waitForJob((await magpie.addExport({ where: 'id<=2' })).id);
    const zip = await fetch(magpie.absolute(made.download_url ?? ''));
    expect(zip.headers.get('Content-Type')).toBe('application/zip');
  });

  it('draws maps', async () => {
    const magpie = await signedIn();
    const map = await magpie.map({ dims: 3, method: 'pca' });
    type Plain = { points: { id: number; position: number[] }[] };
    const plain = await magpie.json<Plain>('GET', '/api/vectors/map', { query: { dims: 3, method: 'pca' } });
    expect(map.ids).toEqual(plain.points.map((p) => p.id));
    expect(map.ids.length).toBeGreaterThan(1);
    const flat = plain.points.flatMap((p) => p.position);
    map.positions.forEach((value, i) => {
      expect(value).toBeCloseTo(flat[i] ?? NaN, 5);
    });
  });

  it('holds products', async () => {
    const magpie = await signedIn();
    for (const title of ['Red boots', 'Blue hat', 'Green bag'])
      await magpie.json('POST', '/products', { body: { title, price: '12.50', currency: 'EUR' } });
    const titles: string[] = [];
    for await (const product of magpie.products({ sort: 'title', limit: 2 })) {
      titles.push(product.title);
      expect(product.price).toMatch(/^12\.50?$/);
    }
    expect(titles).toEqual(['Blue hat', 'Green bag', 'Red boots']);
  });
});
