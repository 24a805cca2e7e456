/* Who asks: an API key, or tokens that are renewed when the access token is over.
 *
 * In a page of the service itself the refresh token can stay in a cookie that no script reads (`cookie`). All
 * tabs share it, and each turn makes a new one, so that one tab at a time has its turn (Web Locks).
 *
 * Tokens live in memory alone; `onTokens` hands each change on to whoever keeps them longer. A refresh
 * token is good for one time and showing it again ends the session, so that requests which are refused
 * together share one refresh. */
import { MagpieError } from './error.js';

export interface Tokens {
  /** Absent when only a kept refresh token is at hand: the first request renews it. */
  access?: string | undefined;
  refresh?: string | undefined;
}

export interface SessionOptions {
  /** Stands for tokens and needs no renewal. */
  apiKey?: string | undefined;
  tokens?: Tokens | undefined;
  /** The refresh token is the browser's, in a cookie; signing in asks for it so. Only in a page of the service. */
  cookie?: boolean | undefined;
  /** Called with each new pair, and with null when the session is over. */
  onTokens?: ((tokens: Tokens | null) => void) | undefined;
}

/** Asks for new tokens; rejects with a MagpieError or what the connection gave. */
export type Renew = (refresh: string | undefined) => Promise<Tokens>;

/** Runs `act` while no other tab of the service does. */
async function alone<T>(act: () => Promise<T>): Promise<T> {
  if (typeof navigator === 'undefined' || !('locks' in navigator)) return act();
  return (await navigator.locks.request('magpie refresh', act)) as T;
}

export class Session {
  #tokens: Tokens | null;
  #flight: Promise<boolean> | null = null;

  constructor(
    private readonly options: SessionOptions,
    private readonly renew: Renew,
  ) {
    this.#tokens = options.tokens ?? (options.cookie ? {} : null);
  }

  get tokens(): Tokens | null {
    return this.#tokens;
  }

  set(tokens: Tokens | null): void {
    this.#tokens = tokens;
    this.options.onTokens?.(tokens);
  }

  /** Whether another access token could be had without a password. */
  get #renewable(): boolean {
    return this.#tokens !== null && (this.options.cookie === true || this.#tokens.refresh !== undefined);
  }

  /** Signs the headers of a request; returns the access token that was used. */
  async sign(headers: Headers): Promise<string | undefined> {
    if (this.options.apiKey !== undefined) {
      headers.set('X-API-Key', this.options.apiKey);
      return undefined;
    }
    if (this.#renewable && !this.#tokens?.access) await this.renewed(undefined);
    const access = this.#tokens?.access;
    if (access) headers.set('Authorization', `Bearer ${access}`);
    return access;
  }

  /** Whether there is now another access token than `used`, which was refused. */
  async renewed(used: string | undefined): Promise<boolean> {
    const tokens = this.#tokens;
    if (this.options.apiKey !== undefined || !tokens) return false;
    if (tokens.access && tokens.access !== used) return true; // somebody was faster
    if (!this.#renewable) return false;
    this.#flight ??= this.#refresh(tokens).finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  async #refresh(old: Tokens): Promise<boolean> {
    let fresh: Tokens | null = null;
    try {
      fresh = await (this.options.cookie ? alone(() => this.renew(undefined)) : this.renew(old.refresh));
    } catch (error) {
      // A refusal ends the session; a service that is busy or out of reach does not.
      if (!(error instanceof MagpieError) || error.status === 429 || error.status >= 500) throw error;
    }
    // Whoever signed in or out meanwhile is not overruled.
    if (this.#tokens === old) this.set(fresh);
    return this.#tokens?.access !== undefined;
  }
}
