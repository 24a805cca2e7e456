/* Lists that come in pages, row by row; and the types that tell which operations give such lists. */
import type { paths } from './schema.js';

type Get<P extends keyof paths> = paths[P] extends { get: infer G } ? G : never;

/** What a GET of this path answers. */
export type Answer<P extends keyof paths> =
  Get<P> extends { responses: { 200: { content: { 'application/json': infer J } } } } ? J : never;

/** The paths whose lists come in pages. */
export type PagedPath = {
  [P in keyof paths]: [Answer<P>] extends [never]
    ? never
    : Answer<P> extends { next_cursor: string | null }
      ? P
      : never;
}[keyof paths];

/** The member of a page that holds its rows. */
export type RowsOf<A> = { [K in keyof A]: A[K] extends readonly unknown[] ? K : never }[keyof A] & string;

export type Row<A, M> = M extends keyof A ? (A[M] extends readonly (infer R)[] ? R : never) : never;

type Parameters<P extends keyof paths> = Get<P> extends { parameters: infer A } ? A : never;
type Query<P extends keyof paths> =
  Parameters<P> extends { query?: infer Q } ? Omit<NonNullable<Q>, 'cursor'> : object;

export type PageInit<P extends keyof paths> = {
  query?: Query<P>;
  signal?: AbortSignal;
} & (Parameters<P> extends {
  path: infer A;
}
  ? { path: A }
  : { path?: undefined });

/** Rows of all pages, each page asked for when its first row is. `page` is given undefined, then each
 * next_cursor. */
export async function* paginate<A extends { next_cursor?: string | null }, R>(
  page: (cursor: string | undefined) => Promise<A>,
  rows: (answer: A) => readonly R[],
): AsyncGenerator<R, void, undefined> {
  let cursor: string | undefined;
  do {
    const answer = await page(cursor);
    yield* rows(answer);
    cursor = answer.next_cursor ?? undefined;
  } while (cursor !== undefined);
}
