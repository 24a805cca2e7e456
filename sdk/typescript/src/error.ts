/* What the service refuses, as an exception. */

/** The members of an RFC 9457 problem that the service sends. */
interface Problem {
  type?: string;
  title?: string;
  detail?: string;
  request_id?: string;
}

/** Every answer of 400 and above. Broken connections stay what `fetch` throws: a TypeError. */
export class MagpieError extends Error {
  override readonly name = 'MagpieError';

  private constructor(
    readonly status: number,
    /** What is wrong, in words for a person. */
    readonly detail: string,
    /** To be found in the service's log and audit; empty when something before the service answered. */
    readonly requestId: string,
    readonly title: string,
    /** Seconds to wait before another attempt, where the answer says so. */
    readonly retryAfter: number | undefined,
    /** The whole answer: JSON where it was, else text. */
    readonly body: unknown,
  ) {
    super(`${status}: ${detail}`);
  }

  /** Reads the answer to its end. */
  static async of(response: Response): Promise<MagpieError> {
    const body = await readBody(response);
    const problem: Problem = typeof body === 'object' && body !== null ? body : {};
    const title = problem.title ?? response.statusText;
    return new MagpieError(
      response.status,
      problem.detail ?? (title || 'the request failed'),
      problem.request_id ?? response.headers.get('X-Request-Id') ?? '',
      title,
      retryAfter(response),
      body,
    );
  }
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!/[/+]json\b/.test(response.headers.get('Content-Type') ?? '')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // cut off, or a proxy's page under the wrong name
  }
}

/** Seconds of Retry-After, which is a number or a date; undefined where there is none. */
export function retryAfter(response: Response): number | undefined {
  const value = response.headers.get('Retry-After');
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}
