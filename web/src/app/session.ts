/* Who is signed in. The access token lives in the client, in memory; the refresh token in a cookie that no script
 * reads. `expired` is a session that ended under a page: the page stays, a dialog asks for the password. */
import { Magpie, type components } from '@magpie/client';
import { QueryClient } from '@tanstack/react-query';
import { store, useStore } from '@/lib/store';

export type User = components['schemas']['User'];
export type Session =
  | { status: 'unknown' }
  | { status: 'unreachable' }
  | { status: 'out' }
  | { status: 'expired'; user: User }
  | { status: 'in'; user: User };

export const session = store<Session>({ status: 'unknown' });

export const magpie = new Magpie({
  cookie: true,
  onTokens: (tokens) => {
    const now = session.get();
    if (tokens === null && now.status === 'in') session.set({ status: 'expired', user: now.user });
  },
});

export const queries = new QueryClient({
  defaultOptions: {
    // The client says a GET again by itself, and knows when that makes sense.
    queries: { retry: false, staleTime: 30_000, refetchOnWindowFocus: false },
    mutations: { retry: false },
  },
});

/** Takes up the session of before, when there is one. */
export async function resume(): Promise<void> {
  try {
    if (await magpie.resume()) {
      const { user } = await magpie.json<{ user: User }>('GET', '/api/auth/me');
      session.set({ status: 'in', user });
    } else {
      session.set({ status: 'out' });
    }
  } catch {
    session.set({ status: 'unreachable' });
  }
}

export function signedIn(user: User): void {
  const before = session.get();
  // What is on the page belongs to somebody else.
  if (before.status === 'expired' && before.user.id !== user.id) location.reload();
  session.set({ status: 'in', user });
  void queries.invalidateQueries();
}

export async function signOut(): Promise<void> {
  session.set({ status: 'out' });
  queries.clear();
  // Browsers have none over plain HTTP but on this machine.
  if ('serviceWorker' in navigator) navigator.serviceWorker.controller?.postMessage('forget');
  await magpie.logout().catch(() => undefined); // out of reach: the tokens are forgotten here all the same
}

export function useSession(): Session {
  return useStore(session);
}

export function useUser(): User | null {
  const now = useSession();
  return now.status === 'in' || now.status === 'expired' ? now.user : null;
}

/** May they change pictures? Roles are the service's; this only hides what it would refuse. */
export function mayWrite(user: User | null): boolean {
  return user !== null && user.role !== 'guest';
}
