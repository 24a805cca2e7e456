import { useQuery } from '@tanstack/react-query';
import { useProjectId } from '@/app/project';
import { magpie } from '@/app/session';
import { date, number, t } from '@/text';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';

const DAYS = 30;

interface Stats {
  added: { day: string; count: number }[];
}

/** How many pictures came in on each of the last days. */
export function Growth() {
  const project_id = useProjectId();
  const { data, error } = useQuery({
    queryKey: ['stats', 'growth', project_id],
    queryFn: ({ signal }) =>
      magpie.json<Stats>('GET', '/api/stats', { query: { days: DAYS, project_id }, signal }),
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <Skeleton className="h-14" />;
  const days = data.added.map((one) => one.day);
  const values = data.added.map((one) => one.count);
  const most = Math.max(1, ...values);
  const sum = values.reduce((a, b) => a + b, 0);
  const short = (day: string | undefined) =>
    day ? date(day, { day: 'numeric', month: 'short', timeZone: 'UTC' }) : '';
  return (
    <figure>
      <svg
        role="img"
        aria-label={t('dashboard.growthLabel', { n: sum, days: DAYS })}
        viewBox={`0 0 ${DAYS * 10} 40`}
        preserveAspectRatio="none"
        className="block h-14 w-full"
      >
        {values.map((value, i) => (
          <rect
            key={days[i]}
            x={i * 10 + 1}
            width={8}
            y={40 - Math.max(1, (value / most) * 38)}
            height={Math.max(1, (value / most) * 38)}
            className={value ? 'fill-accent' : 'fill-line-strong'}
          >
            <title>{`${short(days[i])}: ${number(value)}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption className="mt-1 flex justify-between text-muted">
        <span>{short(days[0])}</span>
        <span>{t('dashboard.growthLabel', { n: sum, days: DAYS })}</span>
        <span>{short(days.at(-1))}</span>
      </figcaption>
    </figure>
  );
}
