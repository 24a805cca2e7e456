/* A service of prepared answers. */
import { Magpie, type MagpieOptions } from '../src/index.js';

export interface Asked {
  method: string;
  url: string;
  headers: Headers;
  body: BodyInit | null | undefined;
}

type Reply = (asked: Asked, n: number) => Response | Promise<Response>;

export function fake(reply: Reply, options: MagpieOptions = {}): { magpie: Magpie; asked: Asked[] } {
  const asked: Asked[] = [];
  const magpie = new Magpie({
    baseUrl: 'http://fake',
    fetch: async (url, init) => {
      init?.signal?.throwIfAborted();
      const one = {
        method: init?.method ?? 'GET',
        url: url as string,
        headers: new Headers(init?.headers),
        body: init?.body,
      };
      asked.push(one);
      return reply(one, asked.length);
    },
    ...options,
  });
  return { magpie, asked };
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type, ...headers } });
}

export function problem(status: number, headers: Record<string, string> = {}): Response {
  return json({ title: 'Title', status, detail: 'words', request_id: 'r1' }, status, headers);
}

/** A stream of these pieces; then it ends, or breaks. */
export function stream(pieces: (string | Uint8Array)[], breaks = false): Response {
  const left = pieces.map((piece) => (typeof piece === 'string' ? new TextEncoder().encode(piece) : piece));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = left.shift();
      if (piece) controller.enqueue(piece);
      else if (breaks) controller.error(new TypeError('broken'));
      else controller.close();
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}
