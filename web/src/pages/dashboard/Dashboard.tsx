import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX, ImagePlus } from 'lucide-react';
import type { ReactNode } from 'react';
import { isOver, MagpieError, type components, type Job } from '@magpie/client';
import { useProjectId } from '@/app/project';
import { magpie, mayWrite, useUser } from '@/app/session';
import type { Cell } from '@/grid/useCells';
import { Thumb } from '@/grid/Picture';
import { titleOf } from '@/lib/jobs';
import { ago, bytes, number, t } from '@/text';
import { Empty } from '@/ui/Empty';
import { Page } from '@/ui/Page';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Growth } from './Growth';

type Stats = components['schemas']['Stats'];
type Health = components['schemas']['Dependencies'];

function Card({ title, children, wide }: { title: string; children: ReactNode; wide?: boolean }) {
  return (
    <section
      className={`min-w-0 rounded-md border border-line bg-surface p-4 ${wide ? 'md:col-span-2' : ''}`}
    >
      <h2 className="mb-3 font-medium text-muted">{title}</h2>
      {children}
    </section>
  );
}

function Recent() {
  const project_id = useProjectId();
  const { data, error } = useQuery({
    queryKey: ['recent', project_id],
    queryFn: ({ signal }) =>
      magpie.json<{ cells: Cell[] }>('GET', '/api/images/cells', {
        query: { sort: 'added', order: 'desc', limit: 12, project_id },
        signal,
      }),
  });
  if (error) return <Trouble error={error} />;
  return (
    <div className="grid grid-cols-4 gap-1 sm:grid-cols-6">
      {data
        ? data.cells.map((cell) => (
            <Link
              key={cell.id}
              to="/library"
              search={{ image: String(cell.id) }}
              className="aspect-square overflow-hidden rounded-md"
            >
              <Thumb src={cell.preview_url} alt={cell.name} className="size-full" />
            </Link>
          ))
        : Array.from({ length: 12 }, (_, i) => <Skeleton key={i} className="aspect-square" />)}
    </div>
  );
}

function Jobs() {
  const project_id = useProjectId();
  const { data, error } = useQuery({
    queryKey: ['jobs', project_id],
    queryFn: ({ signal }) =>
      magpie.json<{ jobs: Job[] }>('GET', '/api/jobs', { query: { limit: 5, project_id }, signal }),
    refetchInterval: (query) => (query.state.data?.jobs.some((job) => !isOver(job.status)) ? 3000 : 30_000),
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <Skeleton className="h-24" />;
  if (data.jobs.length === 0) return <p className="text-muted">{t('dashboard.noJobs')}</p>;
  return (
    <ul>
      {data.jobs.map((job) => (
        <li
          key={job.id}
          className="flex min-h-9 items-center justify-between gap-3 border-b border-line last:border-0"
        >
          <Link to={`/jobs/${job.id}`} className="truncate rounded-md hover:underline">
            {titleOf(job)}
          </Link>
          <span className="shrink-0 text-muted">
            {isOver(job.status) || job.progress.total === 0
              ? t(`job.${job.status}`)
              : number(job.progress.done / job.progress.total, { style: 'percent' })}
            {job.created_at && ` · ${ago(job.created_at)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Health() {
  const { data, error } = useQuery({
    queryKey: ['health'],
    // An unhealthy service says so with a 503, and with the same words.
    queryFn: ({ signal }) =>
      magpie.json<Health>('GET', '/health/dependencies', { signal }).catch((refused: unknown) => {
        if (refused instanceof MagpieError && refused.status === 503) return refused.body as Health;
        throw refused;
      }),
    refetchInterval: 60_000,
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <Skeleton className="h-24" />;
  return (
    <ul>
      {data.dependencies.map((one) => (
        <li key={one.name} className="flex min-h-9 items-center gap-2 border-b border-line last:border-0">
          {one.status === 'up' ? (
            <CircleCheck size={16} aria-hidden className="text-ok" />
          ) : (
            <CircleX size={16} aria-hidden className="text-danger" />
          )}
          <span className="flex-1 truncate">{one.name}</span>
          <span className="text-muted">{t(one.status === 'up' ? 'dashboard.up' : 'dashboard.down')}</span>
        </li>
      ))}
    </ul>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt className="text-muted">{name}</dt>
      <dd className="text-xl font-semibold tabular-nums">{value}</dd>
    </div>
  );
}

function Figures({ stats }: { stats: Stats }) {
  return (
    <dl className="grid grid-cols-2 gap-4 sm:grid-cols-4">
      <Figure name={t('dashboard.pictures')} value={number(stats.images)} />
      <Figure name={t('dashboard.missing')} value={number(stats.missing)} />
      <Figure name={t('dashboard.trashed')} value={number(stats.trashed)} />
      <Figure name={t('dashboard.model')} value={stats.model} />
    </dl>
  );
}

function Storage({ stats }: { stats: Stats }) {
  const parts = [
    [t('dashboard.bytesPictures'), stats.bytes_pictures],
    [t('dashboard.bytesThumbnails'), stats.bytes_thumbnails],
    [t('dashboard.bytesLibrary'), stats.bytes_library],
  ] as const;
  if (stats.bytes_pictures === undefined) return <p className="text-muted">{t('dashboard.storageHidden')}</p>;
  return (
    <dl>
      {parts.map(([name, value]) => (
        <div
          key={name}
          className="flex min-h-9 items-center justify-between border-b border-line last:border-0"
        >
          <dt>{name}</dt>
          <dd className="tabular-nums">{bytes(value ?? 0)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Quality({ stats }: { stats: Stats }) {
  const issues = Object.entries(stats.issues) as [keyof Stats['issues'], number][];
  if (issues.every(([, n]) => n === 0)) return <p className="text-muted">{t('dashboard.allGood')}</p>;
  return (
    <ul>
      {issues
        .filter(([, n]) => n > 0)
        .map(([issue, n]) => (
          <li key={issue} className="border-b border-line last:border-0">
            <Link
              to="/library"
              search={{ issue }}
              className="flex min-h-9 items-center justify-between rounded-md hover:underline"
            >
              <span>{t(`issue.${issue}`)}</span>
              <span className="tabular-nums">{number(n)}</span>
            </Link>
          </li>
        ))}
    </ul>
  );
}

export default function Dashboard() {
  const project_id = useProjectId();
  const user = useUser();
  const {
    data: stats,
    error,
    refetch,
  } = useQuery({
    queryKey: ['stats', project_id],
    queryFn: ({ signal }) => magpie.json<Stats>('GET', '/api/stats', { query: { project_id }, signal }),
  });
  return (
    <Page title={t('nav.dashboard')}>
      {error && <Trouble error={error} onRetry={() => void refetch()} />}
      {stats?.images === 0 && (
        <Empty icon={ImagePlus} title={t('library.empty')} text={t('library.emptyHint')}>
          {mayWrite(user) && (
            <Link
              to="/upload"
              className="inline-flex min-h-9 items-center rounded-md bg-accent px-3 font-medium text-on-accent pointer-coarse:min-h-11"
            >
              {t('library.upload')}
            </Link>
          )}
        </Empty>
      )}
      {/* Cards that give way to the words above are other ones: nothing is seen to jump. */}
      <div key={stats?.images === 0 ? 'empty' : 'full'} className="grid gap-4 md:grid-cols-2 xl:grid-cols-4">
        <Card title={t('dashboard.counts')} wide>
          {stats ? <Figures stats={stats} /> : <Skeleton className="h-14" />}
        </Card>
        <Card title={t('dashboard.growth')} wide>
          <Growth />
        </Card>
        {stats?.images !== 0 && (
          <Card title={t('dashboard.recent')} wide>
            <Recent />
          </Card>
        )}
        <Card title={t('dashboard.quality')}>
          {stats ? <Quality stats={stats} /> : <Skeleton className="h-24" />}
        </Card>
        <Card title={t('dashboard.storage')}>
          {stats ? <Storage stats={stats} /> : <Skeleton className="h-24" />}
        </Card>
        <Card title={t('dashboard.jobs')} wide>
          <Jobs />
        </Card>
        <Card title={t('dashboard.health')} wide>
          <Health />
        </Card>
      </div>
    </Page>
  );
}
