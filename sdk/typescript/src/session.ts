/* Who asks: an API key, or tokens that are renewed when the access token is over.
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
  /** Called with each new pair, and with null when the session is over. */
  onTokens?: ((tokens: Tokens | null) => void) | undefined;
}

/** Asks for new tokens; rejects with a MagpieError or what the connection gave. */
export type Renew = (refresh: string) => Promise<Tokens>;

export class Session {
  #tokens: Tokens | null;
  #flight: Promise<boolean> | null = null;

  constructor(
    private readonly options: SessionOptions,
    private readonly renew: Renew,
  ) {
    this.#tokens = options.tokens ?? null;
  }

  get tokens(): Tokens | null {
    return this.#tokens;
  }

  set(tokens: Tokens | null): void {
    this.#tokens = tokens;
    this.options.onTokens?.(tokens);
  }

  /** Signs the headers of a request; returns the access token that was used. */
  async sign(headers: Headers): Promise<string | undefined> {
    if (this.options.apiKey !== undefined) {
      headers.set('X-API-Key', this.options.apiKey);
      return undefined;
    }
    if (this.#tokens?.refresh && !this.#tokens.access) await this.renewed(undefined);
    const access = this.#tokens?.access;
    if (access) headers.set('Authorization', `Bearer ${access}`);
    return access;
  }

  /** Whether there is now another access token than `used`, which was refused. */
  async renewed(used: string | undefined): Promise<boolean> {
    const tokens = this.#tokens;
    if (this.options.apiKey !== undefined || !tokens) return false;
    if (tokens.access && tokens.access !== used) return true; // somebody was faster
    if (!tokens.refresh) return false;
    this.#flight ??= this.#refresh(tokens, tokens.refresh).finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  async #refresh(old: Tokens, refresh: string): Promise<boolean> {
    let fresh: Tokens | null = null;
    try {
      fresh = await this.renew(refresh);
    } catch (error) {
      // A refusal ends the session; a service that is busy or out of reach does not.
      if (!(error instanceof MagpieError) || error.status === 429 || error.status >= 500) throw error;
    }
    // Whoever signed in or out meanwhile is not overruled.
    if (this.#tokens === old) this.set(fresh);
    return this.#tokens?.access !== undefined;
  }
}
