import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { ChevronRight, RefreshCw, ScrollText } from 'lucide-react';
import { magpie } from '@/app/session';
import { useUrl } from '@/lib/url';
import { date, t } from '@/text';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Field } from '@/ui/Field';
import { More } from '@/ui/More';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { aboutOf, GROUPS, queryOf, wordsOf, type Entry } from './audit';
import { useNames, type Found } from './people';

interface Answer {
  audit: Entry[];
  next_before: number | null;
}

function useAudit(query: ReturnType<typeof queryOf>) {
  return useInfiniteQuery({
    queryKey: ['audit', query],
    queryFn: ({ signal, pageParam }) =>
      magpie.json<Answer>('GET', '/api/audit', {
        query: { ...query, limit: 100, before: pageParam || undefined },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next_before,
    placeholderData: (old) => old,
    staleTime: 0,
  });
}

function Row({ entry, nameOf }: { entry: Entry; nameOf: (id: number) => string }) {
  const words = wordsOf(entry.action);
  const who = entry.user_id ? nameOf(entry.user_id) : t('admin.audit.nobody');
  const facts: [string, string][] = [
    [t('admin.audit.number'), String(entry.id)],
    [t('admin.audit.code'), entry.action],
    [t('admin.audit.who'), entry.user_id ? `${who} (#${entry.user_id})` : who],
    [t('admin.audit.target'), entry.target_id ? `#${entry.target_id}` : ''],
    [t('admin.audit.detail'), entry.detail],
    [t('admin.audit.address'), entry.address],
    [t('admin.audit.request'), entry.request_id],
  ];
  return (
    <li className="border-b border-line">
      <details className="group">
        <summary className="grid list-none grid-cols-[auto_minmax(0,1fr)] items-baseline gap-x-3 rounded-md py-2 hover:bg-sunken md:grid-cols-[auto_13rem_9rem_14rem_minmax(0,1fr)]">
          <ChevronRight
            size={16}
            aria-hidden
            className="self-center text-muted transition-transform group-open:rotate-90"
          />
          <span className="text-muted tabular-nums max-md:order-last max-md:col-start-2">
            {date(entry.at * 1000, { dateStyle: 'medium', timeStyle: 'medium' })}
          </span>
          <span className="truncate font-medium max-md:col-start-2">{who}</span>
          <span className="truncate max-md:col-start-2">{words || <code>{entry.action}</code>}</span>
          <span className="truncate text-muted max-md:col-start-2">{aboutOf(entry, nameOf)}</span>
        </summary>
        <dl className="mb-3 ml-7 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
          {facts
            .filter(([, value]) => value !== '')
            .map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-muted">{name}</dt>
                <dd className="break-all">{value}</dd>
              </div>
            ))}
        </dl>
      </details>
    </li>
  );
}

export function Audit() {
  const [url, setUrl] = useUrl();
  const query = queryOf(url);
  const nameOf = useNames();
  const { data: users } = useQuery({
    queryKey: ['users', 'names'],
    queryFn: async ({ signal }) =>
      (await magpie.json<Found>('GET', '/api/users', { query: { limit: 1000 }, signal })).users,
    staleTime: 60_000,
  });
  const { data, error, refetch, isFetching, hasNextPage, isFetchingNextPage, fetchNextPage } =
    useAudit(query);
  const entries = data?.pages.flatMap((page) => page.audit);
  const known = (users ?? []).map((one) => [String(one.id), one.username] as const);
  const user = url['user'] ?? '';
  // Somebody who is gone still has a past.
  const people = user && !known.some(([id]) => id === user) ? [...known, [user, `#${user}`] as const] : known;
  const filtered = ['user', 'action', 'from', 'to'].some((name) => url[name]);
  return (
    <>
      <div className="grid grid-cols-2 items-end gap-3 md:flex md:flex-wrap">
        <Select
          label={t('admin.audit.who')}
          value={user}
          options={[['', t('admin.any')], ...people]}
          onChange={(event) => setUrl({ user: event.target.value || undefined })}
          className="md:w-44"
        />
        <Select
          label={t('admin.audit.what')}
          value={url['action'] ?? ''}
          options={[
            ['', t('admin.any')],
            ...GROUPS.map((name) => [name, t(`admin.audit.group.${name.slice(0, -1) as Group}`)] as const),
            ...((GROUPS as readonly string[]).includes(url['action'] ?? '') || !url['action']
              ? []
              : [[url['action'], url['action']] as const]),
          ]}
          onChange={(event) => setUrl({ action: event.target.value || undefined })}
          className="md:w-52"
        />
        <Field
          label={t('admin.audit.from')}
          type="date"
          value={url['from'] ?? ''}
          onChange={(event) => setUrl({ from: event.target.value || undefined }, true)}
        />
        <Field
          label={t('admin.audit.to')}
          type="date"
          value={url['to'] ?? ''}
          onChange={(event) => setUrl({ to: event.target.value || undefined }, true)}
        />
        <div className="flex gap-2 max-md:col-span-2 md:ml-auto">
          {filtered && (
            <Button
              onClick={() => setUrl({ user: undefined, action: undefined, from: undefined, to: undefined })}
            >
              {t('admin.noFilter')}
            </Button>
          )}
          <Button icon={RefreshCw} disabled={isFetching} onClick={() => void refetch()}>
            {t('admin.again')}
          </Button>
        </div>
      </div>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !entries ? (
        <Skeleton className="h-80" />
      ) : entries.length === 0 ? (
        <Empty icon={ScrollText} title={t('admin.audit.none')} text={t('admin.audit.noneHint')} />
      ) : (
        <ul aria-label={t('admin.tab.audit')}>
          {entries.map((entry) => (
            <Row key={entry.id} entry={entry} nameOf={nameOf} />
          ))}
        </ul>
      )}
      {hasNextPage && <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} />}
    </>
  );
}

type Group = (typeof GROUPS)[number] extends `${infer Name}.` ? Name : never;
