import type { components } from '@magpie/client';
import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleX } from 'lucide-react';
import { magpie } from '@/app/session';
import { bytes, date, number, t } from '@/text';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';

type Dependencies = components['schemas']['Dependencies'];
type Stats = components['schemas']['Stats'];

function useHealth() {
  return useQuery({
    queryKey: ['health'],
    queryFn: async ({ signal }) => {
      const [health, dependencies, stats] = await Promise.all([
        magpie.json<{ status: string; version: string; timestamp: number }>('GET', '/health', { signal }),
        magpie.json<Dependencies>('GET', '/health/dependencies', { signal }),
        magpie.json<Stats>('GET', '/api/stats', { signal }),
      ]);
      return { health, dependencies, stats };
    },
    refetchInterval: 10_000,
    staleTime: 0,
  });
}

function Facts({ rows }: { rows: [string, string][] }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-1">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="break-all">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Health() {
  const { data, error, refetch } = useHealth();
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-60" />;
  const { health, dependencies, stats } = data;
  const size = (value: number | undefined) => (value === undefined ? '' : bytes(value));
  return (
    <div className="grid gap-4 md:grid-cols-2">
      <section className="flex flex-col gap-3 rounded-md border border-line bg-surface p-4">
        <h2 className="font-semibold">{t('admin.health.service')}</h2>
        <Facts
          rows={[
            [t('admin.health.version'), health.version],
            [t('admin.health.time'), date(health.timestamp * 1000)],
            [t('admin.health.model'), stats.model],
            [t('admin.health.index'), stats.index],
          ]}
        />
      </section>
      <section className="flex flex-col gap-3 rounded-md border border-line bg-surface p-4">
        <h2 className="font-semibold">{t('admin.health.dependencies')}</h2>
        <ul className="flex flex-col gap-2">
          {dependencies.dependencies.map((one) => (
            <li key={one.name} className="flex items-center gap-2">
              {one.status === 'up' ? (
                <CircleCheck size={18} aria-hidden className="text-ok" />
              ) : (
                <CircleX size={18} aria-hidden className="text-danger" />
              )}
              <span className="font-medium">{one.name}</span>
              <span className="text-muted">{one.kind}</span>
              <span className={one.status === 'up' ? 'ml-auto' : 'ml-auto text-danger'}>
                {one.status === 'up' ? t('admin.health.up') : t('admin.health.down')}
              </span>
              <span className="text-muted tabular-nums">
                {number(one.latency_ms, {
                  style: 'unit',
                  unit: 'millisecond',
                  maximumFractionDigits: 1,
                })}
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section className="flex flex-col gap-3 rounded-md border border-line bg-surface p-4">
        <h2 className="font-semibold">{t('admin.health.library')}</h2>
        <Facts
          rows={(
            [
              [t('admin.health.images'), number(stats.images)],
              [t('admin.health.missing'), number(stats.missing)],
              [t('admin.health.vectors'), number(stats.vectors ?? 0)],
              [t('admin.health.pictures'), size(stats.bytes_pictures)],
              [t('admin.health.disk'), size(stats.bytes_library)],
              [t('admin.health.thumbnails'), size(stats.bytes_thumbnails)],
            ] as [string, string][]
          ).filter(([, value]) => value !== '')}
        />
      </section>
    </div>
  );
}
