import { describe, expect, it } from 'vitest';
import { follow, type Message } from '../src/sse.js';
import { fake, problem, stream } from './fake.js';

const RETRY = 'retry: 1\n\n';

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const row of rows) out.push(row);
  return out;
}

function once(pieces: (string | Uint8Array)[]): Promise<Message[]> {
  return all(follow({ open: () => Promise.resolve(stream(pieces)), over: () => true }));
}

describe('the format', () => {
  it('has ids, types, data of several lines, comments, and any line ends', async () => {
    const text =
      ': hello\n\nid: 1\nevent: a\ndata: x\ndata:y\r\n\r\ndata: z\rdata\r\r: still here\n\nid: 9\n\ndata: cut off';
    expect(await once([text])).toEqual([
      { event: 'a', data: 'x\ny', id: '1' },
      { event: 'message', data: 'z\n', id: '1' },
    ]);
  });

  it('is the same however it is cut', async () => {
    const bytes = new TextEncoder().encode('\uFEFFid: 7\r\nevent: ä\r\ndata: 漢字\r\n\r\ndata: 2\n\n');
    const whole = await once([bytes]);
    expect(whole[0]).toEqual({ event: 'ä', data: '漢字', id: '7' });
    for (let size = 1; size < bytes.length; size++) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
      expect(await once(pieces)).toEqual(whole);
    }
  });
});

describe('a stream', () => {
  const event = (id: number) => `id: ${id}\nevent: image.added\ndata: {"id": ${id}}\n\n`;

  it('is taken up after the last event, whether it broke or ended', async () => {
    const { magpie, asked } = fake((_, n) => {
      if (n === 1) return stream([RETRY, event(4), event(5) + 'id: 6\nda'], true);
      if (n === 2) return problem(500);
      if (n === 3) return stream([event(6)]);
      return stream([event(7)]);
    });
    const heard: number[] = [];
    for await (const { id } of magpie.events({ type: 'image.', after: 3 })) {
      heard.push(id);
      if (id === 7) break;
    }
    expect(heard).toEqual([4, 5, 6, 7]);
    expect(asked.map((a) => a.headers.get('Last-Event-ID'))).toEqual(['3', '5', '5', '6']);
    expect(asked[0]?.url).toBe('http://fake/api/events?type=image.');
    expect(asked[0]?.headers.get('Accept')).toBe('text/event-stream');
  });

  it('that is refused throws, at the beginning and later', async () => {
    await expect(all(fake(() => problem(403)).magpie.events())).rejects.toMatchObject({ status: 403 });
    const { magpie } = fake((_, n) => (n === 1 ? stream([RETRY, event(1)]) : problem(404)));
    await expect(all(magpie.events())).rejects.toMatchObject({ status: 404 });
  });

  it('ends when the signal is raised', async () => {
    const stop = new AbortController();
    const { magpie } = fake(() => stream([RETRY, event(1)]));
    let n = 0;
    for await (const { id } of magpie.events({ signal: stop.signal })) {
      expect(id).toBe(1);
      if (++n === 3) stop.abort();
    }
    expect(n).toBe(3);
  });

  it('that is silent for too long is opened anew', async () => {
    let opened = 0;
    const open = () => {
      opened++;
      if (opened === 2) return Promise.resolve(stream([event(2)]));
      const silent = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(RETRY + event(1)));
        },
      });
      return Promise.resolve(new Response(silent));
    };
    const heard = await all(follow({ open, idleMs: 20, over: () => opened === 2 }));
    expect(heard.map((m) => m.id)).toEqual(['1', '2']);
  });
});

describe("a job's log", () => {
  const line = (id: number) =>
    `id: ${id}\nevent: log\ndata: {"id":${id},"at":null,"level":"info","text":"t"}\n\n`;
  const status = (word: string) => `event: status\ndata: {"status":"${word}","done":0,"total":2}\n\n`;

  it('ends with the job, lines after its last status included', async () => {
    const { magpie, asked } = fake((_, n) =>
      n === 1
        ? stream([RETRY, status('processing'), line(1)])
        : stream([status('processing'), line(2), status('completed'), line(3)]),
    );
    const news = await all(magpie.jobLogs(12));
    expect(news.map((e) => (e.kind === 'log' ? e.id : e.status))).toEqual([
      'processing',
      1,
      2,
      'completed',
      3,
    ]);
    expect(asked.map((a) => a.headers.get('Last-Event-ID'))).toEqual([null, '1']);
  });
});
