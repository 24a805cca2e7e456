/* One request: signed, said again with new tokens after a 401, and - where saying it again changes
 * nothing - when the service is busy. Resolves with answers below 400 alone. */
import { MagpieError, retryAfter } from './error.js';
import { pause } from './pause.js';
import type { Session } from './session.js';

export interface Call {
  method: string;
  url: string;
  headers?: HeadersInit | undefined;
  /** Whole, not a stream: it may have to be sent twice. */
  body?: Exclude<BodyInit, ReadableStream> | null | undefined;
  signal?: AbortSignal | null | undefined;
  cache?: RequestCache | undefined;
  credentials?: RequestCredentials | undefined;
  keepalive?: boolean | undefined;
  /** Not signed: the address carries its own permission, or belongs to nobody. */
  anonymous?: boolean | undefined;
  /** Instead of fetch. */
  perform?: Perform | undefined;
}

export interface Attempt extends Omit<Call, 'headers'> {
  headers: Headers;
}

export type Perform = (attempt: Attempt) => Promise<Response>;

export interface TransportOptions {
  fetch?: typeof fetch | undefined;
  /** How often a GET is said again after 429 or 503; 3 by default, 0 for never. */
  retries?: number | undefined;
  /** The longest wait before another attempt, in milliseconds; 30 s by default. Told to wait longer, the
   * client gives up at once. */
  maxRetryWait?: number | undefined;
}

// A 401 of these is about what was sent, not about the access token.
const OPEN = /\/api\/auth\/(ways|setup|register|login|refresh|password\/forgot|password\/reset)$/;
const FIRST_WAIT_MS = 500;

export class Transport {
  constructor(
    private readonly session: Session,
    private readonly options: TransportOptions,
  ) {}

  async send(call: Call): Promise<Response> {
    const again = call.method === 'GET' || call.method === 'HEAD' ? (this.options.retries ?? 3) : 0;
    for (let attempt = 0; ; attempt++) {
      const response = await this.#signed(call);
      if (response.status < 400) return response;
      const wait = attempt < again ? this.#wait(response, attempt) : undefined;
      if (wait === undefined) throw await MagpieError.of(response);
      await response.body?.cancel();
      await pause(wait, call.signal ?? undefined);
    }
  }

  /** As fetch of a Request, for openapi-fetch. */
  async fetch(request: Request): Promise<Response> {
    const body = request.body ? await request.arrayBuffer() : null;
    const { method, url, headers, signal, cache, credentials } = request;
    return this.send({ method, url, headers, body, signal, cache, credentials });
  }

  async #signed(call: Call): Promise<Response> {
    const open = call.anonymous === true || OPEN.test(call.url.replace(/[?#].*/, ''));
    const perform = call.perform ?? ((attempt) => this.#fetch(attempt));
    const attempt = async (): Promise<[Response, string | undefined]> => {
      const headers = new Headers(call.headers);
      const used = open ? undefined : await this.session.sign(headers);
      return [await perform({ ...call, headers }), used];
    };
    const [response, used] = await attempt();
    if (response.status !== 401 || open || !(await this.session.renewed(used))) return response;
    await response.body?.cancel();
    return (await attempt())[0];
  }

  #fetch({ method, url, headers, body, signal, cache, credentials, keepalive }: Attempt): Promise<Response> {
    const init: RequestInit = { method, headers, body: body ?? null, signal: signal ?? null };
    if (cache) init.cache = cache;
    if (credentials) init.credentials = credentials;
    if (keepalive) init.keepalive = true;
    // Not taken out of globalThis before: pages and tests may put another one there.
    return this.options.fetch ? this.options.fetch(url, init) : globalThis.fetch(url, init);
  }

  /** Milliseconds, or undefined when another attempt makes no sense. */
  #wait(response: Response, attempt: number): number | undefined {
    if (response.status !== 429 && response.status !== 503) return undefined;
    const told = retryAfter(response);
    // Without a word from the service: longer each time, and not all clients at once.
    const wait = told === undefined ? FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random()) : told * 1000;
    return wait <= (this.options.maxRetryWait ?? 30_000) ? wait : undefined;
  }
}
