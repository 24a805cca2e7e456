/* Accounts as administrators see them. */
import type { components } from '@magpie/client';
import { useInfiniteQuery, useQuery, type InfiniteData } from '@tanstack/react-query';
import { magpie, queries, type User } from '@/app/session';
import { t } from '@/text';

export type Invite = components['schemas']['Invite'];
export type Role = User['role'];
export const ROLES: readonly Role[] = ['admin', 'operator', 'user', 'guest'];
export const roleOptions = (): [Role, string][] => ROLES.map((role) => [role, t(`nav.role.${role}`)]);

export interface Found {
  users: User[];
  next_cursor: string | null;
}
export interface Wanted {
  q: string;
  role: string;
  active: string;
}

export function useUsers(wanted: Wanted) {
  return useInfiniteQuery({
    queryKey: ['users', wanted],
    queryFn: ({ signal, pageParam }) => {
      const query = {
        q: wanted.q || undefined,
        role: wanted.role || undefined,
        active: wanted.active || undefined,
        limit: 50,
        cursor: pageParam || undefined,
      };
      return magpie.json<Found>('GET', '/api/users', { query, signal });
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: (old) => old,
  });
}

/** Names by number, for lists that have numbers. More than a thousand stay numbers. */
export function useNames(): (id: number) => string {
  const { data } = useQuery({
    queryKey: ['users', 'names'],
    queryFn: async ({ signal }) =>
      (await magpie.json<Found>('GET', '/api/users', { query: { limit: 1000 }, signal })).users,
    staleTime: 60_000,
  });
  return (id) => data?.find((one) => one.id === id)?.username ?? `#${id}`;
}

/** Shows a change at once in every list that is loaded; what comes back undoes it. null: the account goes. */
export function showUser(id: number, patch: Partial<User> | null): () => void {
  const before = queries.getQueriesData<InfiniteData<Found> | User[]>({ queryKey: ['users'] });
  const change = (users: User[]) =>
    users.flatMap((one) => (one.id !== id ? [one] : patch === null ? [] : [{ ...one, ...patch }]));
  for (const [key, data] of before)
    if (data)
      queries.setQueryData(
        key,
        Array.isArray(data)
          ? change(data)
          : { ...data, pages: data.pages.map((page) => ({ ...page, users: change(page.users) })) },
      );
  return () => {
    for (const [key, data] of before) queries.setQueryData(key, data);
  };
}

export function changeUser(id: number, patch: { role?: Role; active?: boolean; email?: string }) {
  return magpie.json<User>('PATCH', `/api/users/${id}`, { body: patch });
}
