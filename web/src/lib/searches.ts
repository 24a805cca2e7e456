/* Searches that people keep, by name. They are addresses of the search page, kept by this browser for each of its
 * users; other tabs follow. */
import { useUser } from '@/app/session';
import { store, useStore, type Store } from './store';

export interface SavedSearch {
  name: string;
  /** What stands in the address: q, mix, like, min. */
  query: Readonly<Record<string, string>>;
}

export const KEPT = ['q', 'mix', 'like', 'min'] as const;
export const MOST_NAME = 60;

const keyOf = (user: number) => `magpie.searches.${user}`;

/** What lies in the browser may be anything. */
export function readSearches(text: string | null): SavedSearch[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.flatMap((one: unknown): SavedSearch[] => {
      if (typeof one !== 'object' || one === null || !('name' in one) || !('query' in one)) return [];
      const { name, query } = one;
      if (typeof name !== 'string' || name === '' || typeof query !== 'object' || query === null) return [];
      const kept = Object.entries(query as Record<string, unknown>).filter(
        (entry): entry is [string, string] =>
          (KEPT as readonly string[]).includes(entry[0]) && typeof entry[1] === 'string',
      );
      return kept.length ? [{ name, query: Object.fromEntries(kept) }] : [];
    });
  } catch {
    return [];
  }
}

const stores = new Map<number, Store<readonly SavedSearch[]>>();

function storeOf(user: number): Store<readonly SavedSearch[]> {
  const known = stores.get(user);
  if (known) return known;
  const made = store<readonly SavedSearch[]>(readSearches(localStorage.getItem(keyOf(user))));
  stores.set(user, made);
  return made;
}

addEventListener('storage', (event) => {
  for (const [user, kept] of stores) if (event.key === keyOf(user)) kept.set(readSearches(event.newValue));
});

function write(user: number, list: readonly SavedSearch[]): void {
  // First there: a browser that is full refuses, and then nothing must look kept.
  localStorage.setItem(keyOf(user), JSON.stringify(list));
  storeOf(user).set(list);
}

/** One of the same name gives way. */
export function keepSearch(user: number, one: SavedSearch): void {
  const others = storeOf(user)
    .get()
    .filter(({ name }) => name !== one.name);
  write(
    user,
    [...others, one].sort((a, b) => a.name.localeCompare(b.name)),
  );
}

export function dropSearch(user: number, name: string): void {
  write(
    user,
    storeOf(user)
      .get()
      .filter((one) => one.name !== name),
  );
}

/** The part of an address that makes a search; null: there is none. */
export function queryOf(url: Readonly<Record<string, string | undefined>>): SavedSearch['query'] | null {
  const kept = KEPT.flatMap((name) => (url[name] ? [[name, url[name]] as const] : []));
  return kept.some(([name]) => name !== 'min') ? Object.fromEntries(kept) : null;
}

export function sameSearch(a: SavedSearch['query'], b: SavedSearch['query']): boolean {
  return KEPT.every((name) => (a[name] ?? '') === (b[name] ?? ''));
}

export function useSearches(): readonly SavedSearch[] {
  return useStore(storeOf(useUser()?.id ?? 0));
}
