import type { components } from '@magpie/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { CalendarClock } from 'lucide-react';
import { magpie, queries } from '@/app/session';
import { toastError } from '@/app/toasts';
import { titleOf } from '@/lib/jobs';
import { ago, date, t } from '@/text';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';

type Schedule = components['schemas']['Schedule'];
interface Answer {
  schedules: Schedule[];
}
const KEY = ['schedules'];

function everyWords(seconds: number): string {
  if (seconds % 86_400 === 0) return t('work.schedule.days', { n: seconds / 86_400 });
  if (seconds % 3600 === 0) return t('work.schedule.hours', { n: seconds / 3600 });
  return t('work.schedule.minutes', { n: Math.round(seconds / 60) });
}

/** Jobs that come again. They are made by the interface; here they are seen, and paused. */
export function Schedules() {
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => magpie.json<Answer>('GET', '/api/schedules', { signal }),
    refetchInterval: 60_000,
  });
  const change = useMutation({
    mutationFn: ({ name, type, params, every_s, enabled }: Schedule) =>
      magpie.json<Answer>('PUT', `/api/schedules/${encodeURIComponent(name)}`, {
        body: { type, params, every_s, enabled },
      }),
    onMutate: (next: Schedule) => {
      const before = queries.getQueryData<Answer>(KEY);
      queries.setQueryData<Answer>(
        KEY,
        (old) => old && { schedules: old.schedules.map((one) => (one.name === next.name ? next : one)) },
      );
      return before;
    },
    onSuccess: (now) => queries.setQueryData(KEY, now),
    onError: (refused, _, before) => {
      queries.setQueryData(KEY, before);
      toastError(refused);
    },
  });
  return (
    <section className="flex flex-col gap-3">
      <h2 className="text-lg font-semibold">{t('work.schedule.title')}</h2>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-16" />
      ) : data.schedules.length === 0 ? (
        <p className="text-muted">{t('work.schedule.none')}</p>
      ) : (
        <ul className="rounded-md border border-line bg-surface">
          {data.schedules.map((one) => (
            <li
              key={one.name}
              className="flex min-h-14 flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-2 last:border-0"
            >
              <CalendarClock size={18} aria-hidden className="shrink-0 text-muted" />
              <span className="min-w-40 flex-1">
                <span className="font-medium break-words">{one.name}</span>
                <span className="block text-muted">
                  {titleOf(one)} · {everyWords(one.every_s)}
                </span>
              </span>
              {one.enabled && (
                <span className="text-muted" title={date(one.next_at)}>
                  {t('work.schedule.next', { when: ago(one.next_at) })}
                </span>
              )}
              <label className="inline-flex min-h-8 items-center gap-2">
                <input
                  type="checkbox"
                  checked={one.enabled}
                  disabled={change.isPending}
                  aria-label={t('work.schedule.of', { name: one.name })}
                  onChange={(event) => change.mutate({ ...one, enabled: event.target.checked })}
                  className="size-5"
                />
                {t(one.enabled ? 'work.schedule.on' : 'work.schedule.off')}
              </label>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
