import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { operations } from '@magpie/client';
import { magpie } from '@/app/session';
import { bytes, date, t } from '@/text';

type Page = operations['listVersions']['responses'][200]['content']['application/json'];

/** Every picture is an asset of its project; where it was replaced, what it was before is still there. */
export function Versions({ id, project }: { id: number; project: number }) {
  const { data } = useQuery({
    queryKey: ['versions', id, 'newest'],
    queryFn: ({ signal }) =>
      magpie.json<Page>('GET', `/api/assets/${id}/versions`, { query: { limit: 20 }, signal }),
  });
  if (!data || data.versions.length < 2) return null;
  return (
    <section>
      <div className="mb-1 flex items-center justify-between">
        <h3 className="font-medium">{t('versions.title')}</h3>
        <Link to={`/projects/${project}/assets/${id}`} className="rounded-md text-accent underline">
          {t('versions.open')}
        </Link>
      </div>
      <ul>
        {data.versions.map((one) => (
          <li
            key={one.number}
            className="flex min-h-9 items-center justify-between gap-2 border-b border-line last:border-0"
          >
            <span className="min-w-0">
              <a
                href={one.content_url}
                target="_blank"
                rel="noopener"
                className="rounded-md font-medium underline"
              >
                {t('versions.number', { n: one.number })}
              </a>
              {one.current && <span className="text-muted"> · {t('versions.current')}</span>}
              {one.created_at && <span className="block text-muted">{date(one.created_at)}</span>}
            </span>
            <span className="shrink-0 text-muted tabular-nums">{bytes(one.bytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
