import type { components } from '@magpie/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Monitor, Smartphone } from 'lucide-react';
import { magpie, queries } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { ago, date, t } from '@/text';
import { Button } from '@/ui/Button';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { deviceOf } from './agent';
import { Part } from './Part';

type Session = components['schemas']['Session'];

function useEnd() {
  return useMutation({
    mutationFn: async (ids: string[]) => {
      for (const id of ids) await magpie.json('DELETE', `/api/auth/sessions/${id}`);
      return ids.length;
    },
    onMutate: (ids) => {
      const before = queries.getQueryData<Session[]>(['sessions']);
      queries.setQueryData<Session[]>(['sessions'], (old) => old?.filter((one) => !ids.includes(one.id)));
      return before;
    },
    onSuccess: (n) => toast({ text: t('account.sessions.ended', { n }) }),
    onError: (error, _, before) => {
      queries.setQueryData(['sessions'], before);
      toastError(error);
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ['sessions'] }),
  });
}

function Row({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const device = deviceOf(session.user_agent) || t('account.sessions.unknown');
  const Icon = /Android|iOS/.test(device) ? Smartphone : Monitor;
  return (
    <li className="flex items-center gap-3 border-b border-line py-2 last:border-b-0">
      <Icon size={20} aria-hidden className="shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium" title={session.user_agent}>
          {device}
          {session.current && (
            <span className="ml-2 rounded bg-accent-soft px-1 font-normal">
              {t('account.sessions.current')}
            </span>
          )}
        </p>
        <p className="text-muted" title={date(session.created_at * 1000)}>
          {session.address} · {t('account.sessions.used', { when: ago(session.used_at * 1000) })}
        </p>
      </div>
      {!session.current && (
        <Button aria-label={t('account.sessions.endOne', { device })} onClick={onEnd}>
          {t('account.sessions.end')}
        </Button>
      )}
    </li>
  );
}

export function Sessions() {
  const { data, error, refetch } = useQuery({
    queryKey: ['sessions'],
    queryFn: async ({ signal }) =>
      (await magpie.json<{ sessions: Session[] }>('GET', '/api/auth/sessions', { signal })).sessions,
    staleTime: 0,
  });
  const end = useEnd();
  // The one that is looked from comes first.
  const list = data?.toSorted((a, b) => Number(b.current) - Number(a.current) || b.used_at - a.used_at);
  const others = (list ?? []).filter((one) => !one.current).map((one) => one.id);
  return (
    <Part title={t('account.sessions.title')} text={t('account.sessions.text')}>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !list ? (
        <Skeleton className="h-24" />
      ) : (
        <ul aria-label={t('account.sessions.title')}>
          {list.map((session) => (
            <Row key={session.id} session={session} onEnd={() => end.mutate([session.id])} />
          ))}
        </ul>
      )}
      {others.length > 1 && (
        <div>
          <Button look="danger" busy={end.isPending} onClick={() => end.mutate(others)}>
            {t('account.sessions.endAll', { n: others.length })}
          </Button>
        </div>
      )}
    </Part>
  );
}
