/* What was searched for among the products: the most, in vain, in which ways, how fast; and each search by itself. */
import type { components } from '@magpie/client';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronLeft, Download, SearchX } from 'lucide-react';
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { useProjectId } from '@/app/project';
import { magpie } from '@/app/session';
import { writeCsv } from '@/lib/csv';
import { save } from '@/lib/save';
import { useUrl } from '@/lib/url';
import { ago, date, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Field } from '@/ui/Field';
import { Page } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { readPeriod, secondsOf, SPANS, type Period } from './period';

type Report = components['schemas']['SearchReport'];
type Figures = Report['top'][number];
type Entry = components['schemas']['SearchLog'];
interface Entries {
  logs: Entry[];
  next_cursor: number | string | null;
}

const TYPES = ['text', 'image', 'mixed', 'similar'] as const;
const ms = (value: number) => t('catalogue.report.ms', { n: Math.round(value) });

function useReport(period: Period, project: number | undefined) {
  return useQuery({
    queryKey: ['search-report', period, project],
    queryFn: ({ signal }) =>
      magpie.json<Report>('GET', '/search/report', {
        query: { ...secondsOf(period), limit: 50, project_id: project },
        signal,
      }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

function useEntries(period: Period, project: number | undefined) {
  const { from, to } = secondsOf(period);
  const time = (entry: Entry) => Date.parse(entry.created_at) / 1000;
  const query = useInfiniteQuery({
    queryKey: ['search-log', period, project],
    queryFn: ({ pageParam, signal }) =>
      magpie.json<Entries>('GET', '/search/logs', {
        query: { limit: 100, cursor: pageParam || undefined, project_id: project },
        signal,
      }),
    initialPageParam: '',
    // The newest first: what is older than the period ends it.
    getNextPageParam: ({ logs, next_cursor }) => {
      const last = logs.at(-1);
      return next_cursor === null || (last && time(last) < from) ? null : String(next_cursor);
    },
    staleTime: 0,
  });
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = query;
  const list = useMemo(
    () => data?.pages.flatMap((page) => page.logs).filter((one) => time(one) >= from && time(one) < to) ?? [],
    [data, from, to],
  );
  // Nothing of the period is there yet: it lies further back.
  const more = data !== undefined && list.length === 0 && hasNextPage && !isFetching && !isError;
  useEffect(() => {
    if (more) void fetchNextPage();
  }, [more, fetchNextPage]);
  return { ...query, list };
}

/** Names of those who asked, where they may be known. */
function useNames(): ReadonlyMap<string, string> {
  const { data } = useQuery({
    queryKey: ['users', 'names'],
    queryFn: ({ signal }) =>
      magpie.json<{ users: { id: number; username: string }[] }>('GET', '/api/users', {
        query: { limit: 1000 },
        signal,
      }),
  });
  return useMemo(() => new Map(data?.users.map((one) => [String(one.id), one.username])), [data]);
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <h2 className="text-lg font-semibold">{title}</h2>
      {children}
    </div>
  );
}

type Column = readonly [text: string, right?: boolean];

function Table({
  label,
  columns,
  children,
}: {
  label: string;
  columns: readonly Column[];
  children: ReactNode;
}) {
  return (
    <div
      role="region"
      aria-label={label}
      tabIndex={0}
      className="max-h-128 overflow-auto rounded-md border border-line bg-surface"
    >
      <table className="w-full border-collapse">
        <thead>
          <tr className="border-b border-line">
            {columns.map(([text, right]) => (
              <th
                key={text}
                scope="col"
                className={cx('px-3 py-2 font-medium whitespace-nowrap', right ? 'text-right' : 'text-left')}
              >
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const CELL = 'border-t border-line px-3 py-2';
const FIGURE = CELL + ' text-right whitespace-nowrap tabular-nums';

function Query({ text }: { text: string }) {
  return (
    <Link to="/catalogue" search={{ q: text }} className="rounded-md break-words text-accent underline">
      {text}
    </Link>
  );
}

function Queries({ label, list, none }: { label: string; list: readonly Figures[]; none: string }) {
  const most = Math.max(1, ...list.map(({ count }) => count));
  if (list.length === 0) return <p className="text-muted">{none}</p>;
  return (
    <Table
      label={label}
      columns={[
        [t('catalogue.report.query')],
        [t('catalogue.report.count'), true],
        [t('catalogue.report.results'), true],
        [t('catalogue.report.time'), true],
        [t('catalogue.report.last'), true],
      ]}
    >
      {list.map(({ query, count, mean_results, mean_ms, last_at }) => (
        <tr key={query}>
          <td className={CELL}>
            <Query text={query} />
            <span aria-hidden className="mt-1 block h-1 rounded-full bg-sunken">
              <span
                className="block h-full rounded-full bg-accent"
                style={{ width: `${(count / most) * 100}%` }}
              />
            </span>
          </td>
          <td className={FIGURE}>{number(count)}</td>
          <td className={FIGURE}>{number(mean_results, { maximumFractionDigits: 1 })}</td>
          <td className={FIGURE}>{ms(mean_ms)}</td>
          <td className={FIGURE} title={date(last_at)}>
            {ago(last_at)}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Ways({ types }: { types: Report['types'] }) {
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      {TYPES.map((type) => {
        const { count, empty, mean_ms, p95_ms } = types[type];
        return (
          <div key={type} className="rounded-md border border-line bg-surface p-4">
            <dt className="text-muted">{t(`catalogue.report.type.${type}`)}</dt>
            <dd className="text-2xl font-semibold tabular-nums">{number(count)}</dd>
            <dd className="text-muted">
              {count === 0
                ? t('catalogue.report.noSearches')
                : t('catalogue.report.ofType', { empty, mean: ms(mean_ms), p95: ms(p95_ms) })}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function Log({ period, project }: { period: Period; project: number | undefined }) {
  const { list, error, refetch, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useEntries(
    period,
    project,
  );
  const names = useNames();
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Skeleton className="h-48" />;
  if (list.length === 0) return <p className="text-muted">{t('catalogue.report.noSearches')}</p>;
  return (
    <>
      <Table
        label={t('catalogue.report.log')}
        columns={[
          [t('catalogue.report.when')],
          [t('catalogue.report.query')],
          [t('catalogue.report.way')],
          [t('catalogue.report.results'), true],
          [t('catalogue.report.time'), true],
          [t('catalogue.report.who')],
        ]}
      >
        {list.map((one) => (
          <tr key={one.id}>
            <td className={CELL + ' whitespace-nowrap'} title={date(one.created_at)}>
              {ago(one.created_at)}
            </td>
            <td className={CELL + ' max-w-96'}>
              {one.query_text ? (
                <Query text={one.query_text} />
              ) : (
                <span className="break-all text-muted">
                  {one.query_image_url || t('catalogue.report.aPicture')}
                </span>
              )}
            </td>
            <td className={CELL + ' whitespace-nowrap'}>{t(`catalogue.report.type.${one.query_type}`)}</td>
            <td className={FIGURE}>{number(one.results_count)}</td>
            <td className={FIGURE}>{ms(one.execution_time_ms)}</td>
            <td className={CELL}>{names.get(one.user_id) ?? one.user_id}</td>
          </tr>
        ))}
      </Table>
      {hasNextPage && (
        <div>
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t('catalogue.report.older')}
          </Button>
        </div>
      )}
    </>
  );
}

function Choose({ period }: { period: Period }) {
  const [, setUrl] = useUrl();
  const put = (patch: Partial<Pick<Period, 'from' | 'to'>>) => {
    const { from, to } = { ...period, ...patch };
    if (from && to) setUrl({ days: undefined, from, to: to < from ? from : to }, true);
  };
  return (
    <div className="flex flex-wrap items-end gap-4">
      <Segments<string>
        label={t('catalogue.report.period')}
        value={period.span === null ? '' : String(period.span)}
        options={SPANS.map((days) => ({
          value: String(days),
          text: t('catalogue.report.days', { n: days }),
        }))}
        onChange={(days) =>
          setUrl({ days: days === '30' ? undefined : days, from: undefined, to: undefined }, true)
        }
      />
      <Field
        type="date"
        label={t('catalogue.report.from')}
        value={period.from}
        onChange={(event) => put({ from: event.target.value })}
      />
      <Field
        type="date"
        label={t('catalogue.report.to')}
        value={period.to}
        min={period.from}
        onChange={(event) => put({ to: event.target.value })}
      />
    </div>
  );
}

function take(report: Report, { from, to }: Period): void {
  const rows = (list: readonly Figures[], empty: boolean) =>
    list.map((one) => [one.query, one.count, empty, one.mean_results, one.mean_ms, one.last_at]);
  save(
    `searches-${from}-${to}.csv`,
    'text/csv',
    writeCsv([
      ['query', 'count', 'in_vain', 'mean_results', 'mean_ms', 'last_at'],
      ...rows(report.top, false),
      ...rows(report.empty, true),
    ]),
  );
}

export default function ReportPage() {
  const [url] = useUrl();
  const project = useProjectId();
  // One moment for as long as the page is there: the question must not change while it is asked.
  const [now] = useState(() => new Date());
  const period = readPeriod(url, now);
  const { data, error, refetch } = useReport(period, project);
  const total = data ? TYPES.reduce((sum, type) => sum + data.types[type].count, 0) : 0;
  return (
    <Page
      title={t('catalogue.report.title')}
      actions={
        <>
          <Link
            to="/catalogue"
            className="inline-flex min-h-9 items-center gap-1 rounded-md px-2 font-medium hover:bg-sunken"
          >
            <ChevronLeft size={16} aria-hidden />
            {t('catalogue.title')}
          </Link>
          {data && total > 0 && (
            <Button icon={Download} onClick={() => take(data, period)}>
              {t('catalogue.report.download')}
            </Button>
          )}
        </>
      }
    >
      <Choose period={period} />
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-64" />
      ) : total === 0 ? (
        <Empty icon={SearchX} title={t('catalogue.report.none')} text={t('catalogue.report.noneHint')} />
      ) : (
        <>
          <Ways types={data.types} />
          <div className="grid gap-6 xl:grid-cols-2">
            <Section title={t('catalogue.report.top')}>
              <Queries
                label={t('catalogue.report.top')}
                list={data.top}
                none={t('catalogue.report.noWords')}
              />
            </Section>
            <Section title={t('catalogue.report.empty')}>
              <Queries
                label={t('catalogue.report.empty')}
                list={data.empty}
                none={t('catalogue.report.noEmpty')}
              />
            </Section>
          </div>
          <Section title={t('catalogue.report.log')}>
            <Log period={period} project={project} />
          </Section>
        </>
      )}
    </Page>
  );
}
