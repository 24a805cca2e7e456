/* Searching products: words, a picture, or both. What is searched for is written into the log of searches, so it is
 * asked for when somebody says so, not while they type. */
import type { components } from '@magpie/client';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { magpie } from '@/app/session';
import { useStore } from '@/lib/store';
import type { UrlState } from '@/lib/url';
import { given, removed, type Filters } from './products';

export type Answer = components['schemas']['ProductSearchAnswer'];
export type Hit = Answer['results'][number];

/** The picture that is shown: from elsewhere, of the library, or of a product. */
export type Like =
  | { kind: 'file'; file: File; key: number }
  | { kind: 'image'; id: number }
  | { kind: 'product'; id: number };

export interface Question {
  words: string;
  like: Like | null;
  /** How much the words count, from 0 to 1; the picture gets the rest. */
  weight: number;
  filters: Filters;
  project: number | undefined;
}

/** Pictures from elsewhere, by the number that stands in the address: who comes back from a product finds the search
 * as it was. A reload forgets them. */
const held = new Map<number, File>();
const MOST_HELD = 8;

export function hold(file: File): number {
  const key = Math.max(Date.now(), ...[...held.keys()].map((one) => one + 1));
  held.set(key, file);
  for (const old of [...held.keys()].slice(0, -MOST_HELD)) held.delete(old);
  return key;
}

export function readLike(url: UrlState): Like | null {
  const key = Number(url['file'] ?? 0);
  const file = held.get(key);
  if (file) return { kind: 'file', file, key };
  for (const kind of ['product', 'image'] as const) {
    const id = Number(url[kind] ?? 0);
    if (Number.isSafeInteger(id) && id > 0) return { kind, id };
  }
  return null;
}

export const EVEN = 0.5;
export function readWeight(url: UrlState): number {
  const weight = Number(url['weight'] ?? EVEN);
  return weight >= 0 && weight <= 1 ? weight : EVEN;
}

export function isAsked({ words, like }: Question): boolean {
  return words.trim() !== '' || like !== null;
}

const PAGE = 60;

/** What is sent, without the picture. */
export function bodyOf({ words, like, weight, filters, project }: Question, cursor: string) {
  const { category, price_min, price_max, currency } = filters;
  return {
    ...given({ query: words.trim(), cursor, category, price_min, price_max, currency, project_id: project }),
    limit: PAGE,
    ...(like && !words.trim() ? {} : { weights: { picture: 1 - weight, text: weight } }),
    ...(like?.kind === 'image' ? { image_id: like.id } : {}),
    ...(like?.kind === 'product' ? { product_id: like.id } : {}),
  };
}

async function ask(question: Question, cursor: string, signal: AbortSignal): Promise<Answer> {
  const body = bodyOf(question, cursor);
  const { like } = question;
  if (like?.kind !== 'file')
    return magpie.json('POST', like ? '/search/image' : '/search/text', { body, signal });
  const form = new FormData();
  form.append('query', JSON.stringify(body));
  form.append('file', like.file, like.file.name);
  const { data } = await magpie.api.POST('/search/image', {
    body: form as never,
    bodySerializer: (whole: unknown) => whole as FormData,
    signal,
  });
  return data as Answer;
}

function keyOf(like: Like | null): unknown {
  return like?.kind === 'file' ? ['file', like.key] : like && [like.kind, like.id];
}

export function useSearch(question: Question) {
  const { words, like, weight, filters, project } = question;
  const query = useInfiniteQuery({
    queryKey: ['product-search', words.trim(), keyOf(like), weight, filters, project],
    queryFn: ({ pageParam, signal }) => ask(question, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    enabled: isAsked(question),
    staleTime: 5 * 60_000,
  });
  const gone = useStore(removed);
  const { data } = query;
  const hits = useMemo(
    () => data?.pages.flatMap((page) => page.results).filter(({ id }) => !gone.has(id)) ?? [],
    [data, gone],
  );
  return { ...query, hits, first: data?.pages[0] };
}
