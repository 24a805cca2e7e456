/* The service as an object: signing in, every operation by its path, and helpers for what takes more than
 * one request. Safe to share: all that it holds is the session. */
import createClient, { type Client } from 'openapi-fetch';
import { MagpieError } from './error.js';
import { readEvents, readJobLogs, waitFor, type WaitOptions } from './jobs.js';
import { decodeMap, type PictureMap } from './map.js';
import type {
  MagpieEvent,
  Job,
  JobNews,
  JobQuery,
  NewExport,
  NewJob,
  Product,
  ProductQuery,
} from './model.js';
import { paginate, type Answer, type PagedPath, type PageInit, type Row, type RowsOf } from './pages.js';
import type { components, operations, paths } from './schema.js';
import { Session, type SessionOptions, type Tokens } from './session.js';
import { Transport, type Call, type TransportOptions } from './transport.js';
import { formOf, performer, typeOf, type OnProgress, type Upload } from './upload.js';

type Schemas = components['schemas'];
type Body<O extends keyof operations> = operations[O] extends {
  requestBody: { content: { 'application/json': infer B } };
}
  ? B
  : never;

export interface MagpieOptions extends SessionOptions, TransportOptions {
  /** Where the service is, as http://127.0.0.1:8080; in a page of the service itself, '' (the default). */
  baseUrl?: string | undefined;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface JsonInit {
  query?: Query | undefined;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Outlives the page that asks. */
  keepalive?: boolean;
}

export interface UploadOptions {
  project_id?: number;
  title?: string;
  description?: string;
  /** That it lay in, as 'holiday/rome'. */
  folder?: string;
  /** What becomes of a picture that shows the same as one of the project; `refuse`: a 409 with `match`. */
  near_duplicates?: Schemas['NearDuplicates'];
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface LinkOptions extends UploadOptions {
  /** The bytes are with the service, under this key: from now on `ingest` can be said again without them. */
  onStored?: (key: string) => void;
}

export interface FormOptions extends UploadOptions {
  tags?: string[];
}

export interface AssetOptions {
  /** As document, video or dataset; without it a picture becomes one, and anything else a file. */
  type?: string;
  title?: string;
  description?: string;
  metadata?: Record<string, unknown>;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface EventOptions {
  /** The beginning of a type, as `image.`. */
  type?: string;
  project_id?: number;
  /** An event's id: tells what came after it. Absent: from now on. */
  after?: number;
  /** Ends the iteration. */
  signal?: AbortSignal;
}

export type MapQuery = Omit<NonNullable<operations['getMap']['parameters']['query']>, 'format'>;

export class Magpie {
  /** Every operation, typed by its path: `api.GET('/api/images/{id}', {params: {path: {id}}})`. What the
   * service refuses is thrown, so that `data` of an answer is there; `unwrap` says so to the compiler. */
  readonly api: Client<paths>;
  readonly #baseUrl: string;
  readonly #cookie: boolean;
  readonly #session: Session;
  readonly #transport: Transport;

  constructor(options: MagpieOptions = {}) {
    this.#baseUrl = (options.baseUrl ?? '').replace(/\/+$/, '');
    this.#cookie = options.cookie === true;
    this.#session = new Session(options, (refresh) => this.#renew(refresh));
    this.#transport = new Transport(this.#session, options);
    this.api = createClient<paths>({
      baseUrl: this.#baseUrl,
      fetch: (request) => this.#transport.fetch(request),
    });
  }

  // ---- who asks ----

  get tokens(): Tokens | null {
    return this.#session.tokens;
  }

  /** As if they had come from login; null forgets them. */
  setTokens(tokens: Tokens | null): void {
    this.#session.set(tokens);
  }

  /** Makes the first account, an administrator's. */
  setUp(body: Body<'setUp'>): Promise<Schemas['User']> {
    return this.#signIn('/api/auth/setup', body);
  }

  register(body: Body<'register'>): Promise<Schemas['User']> {
    return this.#signIn('/api/auth/register', body);
  }

  login(body: Body<'login'>): Promise<Schemas['User']> {
    return this.#signIn('/api/auth/login', body);
  }

  /** The tokens are forgotten even when the service cannot be told. */
  async logout(): Promise<void> {
    try {
      await this.#send({ method: 'POST', url: '/api/auth/logout', headers: this.#own() });
    } catch (error) {
      if (!(error instanceof MagpieError) || error.status !== 401) throw error; // 401: it is over already
    } finally {
      this.#session.set(null);
    }
  }

  /** Whether the session of before goes on: with `cookie`, what a page asks when it is opened. */
  resume(): Promise<boolean> {
    return this.#session.renewed(undefined);
  }

  async #signIn(path: string, body: object): Promise<Schemas['User']> {
    const asked = this.#cookie ? { ...body, cookie: true } : body;
    const made = await this.json<Schemas['Tokens']>('POST', path, { body: asked });
    this.#session.set(tokensOf(made));
    return made.user;
  }

  /** Seen through even when the page is left: the cookie must not stay behind what the service knows. */
  async #renew(refresh: string | undefined): Promise<Tokens> {
    const body = refresh === undefined ? {} : { refresh_token: refresh };
    const headers = this.#own();
    return tokensOf(await this.json('POST', '/api/auth/refresh', { body, headers, keepalive: true }));
  }

  /** Shows that no page of another origin asks. */
  #own(): Record<string, string> {
    return this.#cookie ? { 'X-Requested-With': 'magpie' } : {};
  }

  // ---- any request ----

  /** JSON in, JSON out, for operations that `api` has no type for. */
  async json<T>(method: string, path: string, init: JsonInit = {}): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json', ...init.headers };
    if (init.body !== undefined) headers['Content-Type'] = 'application/json';
    const response = await this.#send({
      method,
      url: path + queryOf(init.query),
      headers,
      body: init.body === undefined ? null : JSON.stringify(init.body),
      signal: init.signal ?? null,
      keepalive: init.keepalive,
    });
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** A link of an answer (preview_url, content_url, download_url), to be used outside of the page. */
  absolute(link: string): string {
    return this.#baseUrl === '' ? link : new URL(link, this.#baseUrl + '/').href;
  }

  #send(call: Call): Promise<Response> {
    return this.#transport.send({
      ...call,
      url: call.url.startsWith('/') ? this.#baseUrl + call.url : call.url,
    });
  }

  // ---- lists ----

  /** Every row of a list, page by page: `items('/api/images', 'images', {query: {where: 'tag:sea'}})`. */
  items<P extends PagedPath, M extends RowsOf<Answer<P>>>(
    path: P,
    member: M,
    ...[init]: object extends PageInit<P> ? [PageInit<P>?] : [PageInit<P>]
  ): AsyncGenerator<Row<Answer<P>, M>, void, undefined> {
    const places = (init?.path ?? {}) as Record<string, string | number>;
    const at = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(places[name])));
    return this.#rows<Row<Answer<P>, M>>(at, member, init?.query, init?.signal);
  }

  images(query?: PageInit<'/api/images'>['query']): AsyncGenerator<Schemas['Image'], void, undefined> {
    return this.#rows('/api/images', 'images', query);
  }

  jobs(query?: JobQuery): AsyncGenerator<Job, void, undefined> {
    return this.#rows('/api/jobs', 'jobs', query);
  }

  products(query?: ProductQuery): AsyncGenerator<Product, void, undefined> {
    return this.#rows('/products', 'products', query);
  }

  #rows<R>(path: string, member: string, query?: object, signal?: AbortSignal) {
    type Page = { next_cursor: string | null } & Record<string, unknown>;
    return paginate(
      (cursor) => this.json<Page>('GET', path, { query: { ...query, cursor }, signal }),
      (page) => page[member] as R[],
    );
  }

  // ---- uploads ----

  /** Sends pictures as one form, at most 200. What is refused among others is told in its row. */
  async upload(files: readonly Upload[], options: FormOptions = {}): Promise<Schemas['UploadAnswer']> {
    const { project_id, title, description, folder, near_duplicates, tags, onProgress, signal } = options;
    const fields = {
      project_id: project_id?.toString(),
      title,
      description,
      folder,
      near_duplicates,
      tags: tags?.join(','),
    };
    try {
      const response = await this.#send({
        method: 'POST',
        url: '/api/images',
        body: formOf(files, fields),
        signal: signal ?? null,
        perform: performer(onProgress),
      });
      return (await response.json()) as Schemas['UploadAnswer'];
    } catch (error) {
      // Several, all of them refused: still an answer for each.
      if (error instanceof MagpieError && isUploadAnswer(error.body)) return error.body;
      throw error;
    }
  }

  /** Sends one picture over a presigned link, and takes it in. */
  async uploadByLink(file: Upload, options: LinkOptions = {}): Promise<Schemas['TakenImage']> {
    const { project_id, onStored, onProgress, signal } = options;
    const link = await this.json<Schemas['Presigned']>('POST', '/api/presign/upload', {
      body: { file_name: file.name, file_type: typeOf(file), file_size: file.data.size, project_id },
      signal,
    });
    await this.#send({
      method: 'PUT',
      url: link.upload_url,
      headers: { ...link.headers },
      body: file.data,
      anonymous: true,
      signal: signal ?? null,
      perform: performer(onProgress),
    });
    onStored?.(link.key);
    return this.ingest(link.key, options);
  }

  /** Takes in what lies with the service under a presigned link's key. */
  ingest(key: string, options: UploadOptions = {}): Promise<Schemas['TakenImage']> {
    const { title, description, folder, near_duplicates, signal } = options;
    const body = { key, title, description, folder, near_duplicates };
    return this.json('POST', '/api/images/ingest', { body, signal });
  }

  /** Files of any type for a project, at most 200. One that is refused alone is thrown. */
  async addAssets(
    projectId: number,
    files: readonly Upload[],
    options: AssetOptions = {},
  ): Promise<Schemas['AssetUpload']> {
    const { type, title, description, metadata, onProgress, signal } = options;
    const fields = { type, title, description, metadata: metadata && JSON.stringify(metadata) };
    const body = formOf(files, fields);
    return this.#sendForm(`/api/projects/${projectId}/assets`, body, onProgress, signal);
  }

  /** New bytes for an asset; the versions before stay. */
  async addVersion(
    assetId: number,
    file: Upload,
    options: Pick<AssetOptions, 'onProgress' | 'signal'> = {},
  ): Promise<Schemas['AssetChange']> {
    const { onProgress, signal } = options;
    return this.#sendForm(`/api/assets/${assetId}/versions`, formOf([file], {}), onProgress, signal);
  }

  async #sendForm<T>(url: string, body: FormData, onProgress?: OnProgress, signal?: AbortSignal): Promise<T> {
    const perform = performer(onProgress);
    const response = await this.#send({ method: 'POST', url, body, signal: signal ?? null, perform });
    return (await response.json()) as T;
  }

  // ---- jobs and events ----

  /** The same idempotency key gives the same job. */
  addJob(job: NewJob, idempotencyKey?: string): Promise<Job> {
    return this.json('POST', '/api/jobs', { body: job, headers: keyOf(idempotencyKey) });
  }

  addExport(what: NewExport = {}, idempotencyKey?: string): Promise<Job> {
    return this.json('POST', '/api/exports', { body: what, headers: keyOf(idempotencyKey) });
  }

  getJob(id: number, signal?: AbortSignal): Promise<Job> {
    return this.json('GET', `/api/jobs/${id}`, { signal });
  }

  /** The job as it ended, well or not: look at its status. */
  waitForJob(id: number, options: WaitOptions = {}): Promise<Job> {
    return waitFor(() => this.getJob(id, options.signal), options);
  }

  /** What a job tells until it ends, taken up again when the connection breaks. */
  jobLogs(id: number, signal?: AbortSignal): AsyncGenerator<JobNews, void, undefined> {
    return readJobLogs({ open: this.#stream(`/api/jobs/${id}/logs`), signal });
  }

  /** What happens, as it happens, without an end: break out of it, or raise the signal. Taken up again when
   * the connection breaks. What comes before the first event while the connection is broken is lost unless
   * `after` was given. */
  events(options: EventOptions = {}): AsyncGenerator<MagpieEvent, void, undefined> {
    const { type, project_id, after, signal } = options;
    const open = this.#stream('/api/events' + queryOf({ type, project_id }));
    return readEvents({ open, lastId: after?.toString(), signal });
  }

  #stream(url: string) {
    return (lastId: string, signal: AbortSignal) => {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (lastId !== '') headers['Last-Event-ID'] = lastId;
      return this.#send({ method: 'GET', url, headers, signal, cache: 'no-store' });
    };
  }

  // ---- vectors ----

  /** Where pictures lie beside each other, in the binary form. */
  async map(query: MapQuery = {}, signal?: AbortSignal): Promise<PictureMap> {
    const url = '/api/vectors/map' + queryOf({ ...query, format: 'binary' });
    const response = await this.#send({ method: 'GET', url, signal: signal ?? null });
    return decodeMap(await response.arrayBuffer());
  }
}

/** The data of an answer of `api`. */
export async function unwrap<T>(answer: Promise<{ data?: T; response: Response }>): Promise<NonNullable<T>> {
  const { data, response } = await answer;
  if (data === undefined || data === null) throw new TypeError(`${response.status} has no data`);
  return data;
}

function tokensOf(made: Schemas['Tokens']): Tokens {
  return { access: made.access_token, refresh: made.refresh_token };
}

function queryOf(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given.map(([k, v]) => [k, String(v)])).toString()}` : '';
}

function keyOf(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { 'Idempotency-Key': key };
}

function isUploadAnswer(body: unknown): body is Schemas['UploadAnswer'] {
  return typeof body === 'object' && body !== null && 'images' in body && 'refused' in body;
}
