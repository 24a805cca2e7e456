/* Products as the pages ask for them: which ones, in what order, and those that are as good as removed. */
import type { components } from '@magpie/client';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { magpie, queries } from '@/app/session';
import { toastError, undoable } from '@/app/toasts';
import { store, useStore } from '@/lib/store';
import type { UrlState } from '@/lib/url';
import { number, t } from '@/text';

export type Product = components['schemas']['Product'];
export type Change = components['schemas']['ProductChange'];
export type Facets = components['schemas']['ProductFacets'];
export interface ProductPage {
  products: Product[];
  total: number;
  next_cursor: string | null;
  facets?: Facets;
}

// ---- which ones ----

export interface Filters {
  /** As `categoryList` writes it. */
  category: string;
  price_min: string;
  price_max: string;
  currency: string;
  has_picture: '' | 'yes' | 'no';
}
export const FILTERS = ['category', 'price_min', 'price_max', 'currency', 'has_picture'] as const;

/** "12,5" is as good as "12.5"; what is no price is no condition. */
export function priceOf(text: string | undefined): string {
  const plain = (text ?? '').trim().replace(',', '.');
  return /^[0-9]{1,9}(\.[0-9]{1,4})?$/.test(plain) ? plain : '';
}

export function readFilters(url: UrlState): Filters {
  const has = url['has_picture'];
  return {
    category: url['category'] ?? '',
    price_min: priceOf(url['price_min']),
    price_max: priceOf(url['price_max']),
    currency: url['currency'] ?? '',
    has_picture: has === 'yes' || has === 'no' ? has : '',
  };
}

export function isFiltered(filters: Filters): boolean {
  return FILTERS.some((name) => filters[name] !== '');
}

/** The names of a list by commas; a backslash keeps a comma or a backslash in a name. */
export function categoriesOf({ category }: Pick<Filters, 'category'>): string[] {
  const names = category.match(/(?:\\[,\\]|[^,])+/g) ?? [];
  return names.map((name) => name.replace(/\\([,\\])/g, '$1'));
}

export function categoryList(names: readonly string[]): string {
  return names.map((name) => name.replace(/[,\\]/g, '\\$&')).join(',');
}

/** As the service wants them: without those that are not set. */
export function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== '' && value !== undefined),
  ) as Partial<T>;
}

export const SORTS = ['created', 'updated', 'title', 'price', 'id'] as const;
export type Sort = (typeof SORTS)[number];
export interface Order {
  sort: Sort;
  order: 'asc' | 'desc';
}

export function readOrder(url: UrlState): Order {
  const sort = SORTS.find((one) => one === url['sort']) ?? 'created';
  const usual = sort === 'created' || sort === 'updated' ? 'desc' : 'asc';
  return { sort, order: url['order'] === 'asc' || url['order'] === 'desc' ? url['order'] : usual };
}

const PAGE = 100;

export function useProducts(filters: Filters, order: Order, project: number | undefined, enabled: boolean) {
  const query = useInfiniteQuery({
    queryKey: ['products', 'list', filters, order, project],
    queryFn: ({ pageParam, signal }) =>
      magpie.json<ProductPage>('GET', '/products', {
        query: {
          ...given(filters),
          ...order,
          limit: PAGE,
          cursor: pageParam || undefined,
          project_id: project,
          // The figures of the first page hold for all.
          facets: pageParam ? undefined : 'yes',
        },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    enabled,
  });
  const gone = useStore(removed);
  const { data } = query;
  const list = useMemo(
    () => data?.pages.flatMap((page) => page.products).filter(({ id }) => !gone.has(id)) ?? [],
    [data, gone],
  );
  const all = data?.pages.flatMap((page) => page.products) ?? [];
  const first = data?.pages[0];
  return {
    ...query,
    list,
    total: first ? Math.max(list.length, first.total - (all.length - list.length)) : undefined,
    facets: first?.facets,
  };
}

/** The figures as if some conditions were not there: so that another category can be chosen beside the first. */
export function useFacets(
  filters: Filters,
  without: readonly (keyof Filters)[],
  project: number | undefined,
  enabled: boolean,
): Facets | undefined {
  const asked = Object.fromEntries(
    Object.entries(filters).filter(([name]) => !without.includes(name as keyof Filters)),
  );
  const { data } = useQuery({
    queryKey: ['products', 'facets', asked, project],
    queryFn: ({ signal }) =>
      magpie.json<ProductPage>('GET', '/products', {
        query: { ...given(asked), limit: 1, facets: 'yes', project_id: project },
        signal,
      }),
    enabled,
    placeholderData: keepPreviousData,
  });
  return data?.facets;
}

export function useProduct(id: number) {
  return useQuery({
    queryKey: ['product', id],
    queryFn: ({ signal }) => magpie.json<Product>('GET', `/products/${id}`, { signal }),
    enabled: id > 0,
    // While its picture is on the way.
    refetchInterval: ({ state }) => (state.data?.index_state === 'queued' ? 1500 : false),
  });
}

export function changed(): void {
  void queries.invalidateQueries({ queryKey: ['products'] });
  void queries.invalidateQueries({ queryKey: ['product'] });
  void queries.invalidateQueries({ queryKey: ['product-search'] });
}

// ---- removing ----

/** Those that are not shown any more, while it can be taken back. */
export const removed = store<ReadonlySet<number>>(new Set());
const LANES = 6;

function hide(ids: readonly number[], gone: boolean): void {
  const next = new Set(removed.get());
  for (const id of ids)
    if (gone) next.add(id);
    else next.delete(id);
  removed.set(next);
}

async function removeAll(ids: readonly number[]): Promise<void> {
  const open = [...ids];
  const lane = async () => {
    for (let id = open.pop(); id !== undefined; id = open.pop())
      await magpie.json('DELETE', `/products/${id}`, { keepalive: true });
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(LANES, ids.length) }, lane));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

export function remove(ids: readonly number[]): void {
  hide(ids, true);
  const back = () => hide(ids, false);
  const commit = () => {
    void removeAll(ids)
      .catch(toastError)
      .then(() => queries.invalidateQueries({ queryKey: ['products'] }))
      .finally(back);
  };
  undoable(t('catalogue.removed', { n: ids.length }), t('app.undo'), commit, back);
}

// ---- shown ----

export function priceText({ price, currency }: { price: string | null; currency: string }): string {
  if (price === null) return '';
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 4 };
  return currency
    ? number(Number(price), { style: 'currency', currency, ...digits })
    : number(Number(price), digits);
}
