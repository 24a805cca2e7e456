/* Server-sent events over fetch, which - unlike EventSource - can send headers.
 *
 * A stream that breaks is taken up again after the last event that was given out. The service says
 * something every 15 seconds; one that is silent for longer is taken for broken. */
import { MagpieError } from './error.js';
import { pause } from './pause.js';

export interface Message {
  event: string;
  data: string;
  /** Of this event or the last before it that had one. */
  id: string;
}

export interface Follow {
  /** Opens the stream after this id; '' for where the service begins. */
  open: (lastId: string, signal: AbortSignal) => Promise<Response>;
  lastId?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Whether a stream that ended is over for good. */
  over?: () => boolean;
  idleMs?: number | undefined;
}

const LONGEST_WAIT_MS = 30_000;
const IDLE_MS = 45_000;

/** Ends when the signal is raised or the stream is over; throws what is refused. */
export async function* follow(options: Follow): AsyncGenerator<Message, void, undefined> {
  const { signal } = options;
  const state = { lastId: options.lastId ?? '', retry: 2000 };
  let failures = 0;
  let opened = false;
  while (!signal?.aborted) {
    const stop = new AbortController();
    const abort = () => {
      stop.abort();
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const response = await options.open(state.lastId, stop.signal);
      opened = true;
      for await (const message of messages(response, state, options.idleMs ?? IDLE_MS)) {
        failures = 0;
        yield message;
      }
      if (options.over?.()) return;
    } catch (error) {
      if (signal?.aborted) return;
      if (!opened || !passes(error)) throw error;
      failures++;
    } finally {
      signal?.removeEventListener('abort', abort);
      stop.abort(); // also when the reader has had enough
    }
    const wait = Math.min(state.retry * 2 ** Math.max(0, failures - 1), LONGEST_WAIT_MS);
    await pause(wait, signal).catch(() => undefined); // the loop looks at the signal
  }
}

/** Worth another attempt: a broken connection, or a service that is busy or starts anew. */
function passes(error: unknown): boolean {
  return !(error instanceof MagpieError) || error.status === 429 || error.status >= 500;
}

interface State {
  lastId: string;
  retry: number;
}

async function* messages(response: Response, state: State, idleMs: number): AsyncGenerator<Message> {
  let event = '';
  let data: string[] = [];
  let id = state.lastId;
  for await (const line of lines(response, idleMs)) {
    if (line === '') {
      // Only now: an event that is cut off is not counted as given out.
      state.lastId = id;
      if (data.length) yield { event: event || 'message', data: data.join('\n'), id };
      event = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value)) state.retry = Number(value);
  }
}

/** Lines end with LF, CR or both; the last one, when it is cut off, is no line. */
async function* lines(response: Response, idleMs: number): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder(); // drops a byte order mark
  let text = '';
  try {
    for (;;) {
      const { done, value } = await within(idleMs, reader.read());
      if (done) return;
      text += decoder.decode(value, { stream: true });
      let start = 0;
      // A CR at the very end may be the first half of CR LF: it waits for more.
      for (const end of text.matchAll(/\r\n|\n|\r(?!$)/g)) {
        yield text.slice(start, end.index);
        start = end.index + end[0].length;
      }
      text = text.slice(start);
    }
  } finally {
    await reader.cancel().catch(() => undefined); // of a connection that is broken already
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the stream is silent'));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
