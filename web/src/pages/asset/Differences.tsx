/* What differs between two versions, member by member; pictures also side by side. */
import { useQuery } from '@tanstack/react-query';
import { Equal } from 'lucide-react';
import { magpie } from '@/app/session';
import { useUrl } from '@/lib/url';
import { bytes, number, t } from '@/text';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { shown, useVersions, type Asset, type Version } from './asset';

interface Change {
  field: string;
  from: unknown;
  to: unknown;
}

const FIELDS = ['sha256', 'bytes', 'format', 'width', 'height', 'name'] as const;

function fieldName(field: string): string {
  const known = FIELDS.find((one) => one === field);
  return known ? t(`work.diff.field.${known}`) : field.replace(/^metadata\./, '');
}

function Value({ field, value }: { field: string; value: unknown }) {
  if (value === null || value === '') return <span className="text-muted">{t('work.diff.none')}</span>;
  if (field === 'bytes' && typeof value === 'number') return <>{bytes(value)}</>;
  if ((field === 'width' || field === 'height') && typeof value === 'number') return <>{number(value)}</>;
  if (field === 'sha256' && typeof value === 'string')
    return <code className="text-xs break-all">{value.slice(0, 16)}…</code>;
  return <span className="break-words whitespace-pre-wrap">{shown(value)}</span>;
}

function Side({ version }: { version: Version | undefined }) {
  if (!version) return null;
  return (
    <figure className="min-w-0">
      <img
        src={version.content_url}
        alt={t('work.asset.version', { n: version.number })}
        width={version.width}
        height={version.height}
        loading="lazy"
        className="h-64 w-full rounded-md bg-sunken object-contain max-sm:h-40"
      />
      <figcaption className="mt-1 text-muted">{t('work.asset.version', { n: version.number })}</figcaption>
    </figure>
  );
}

export function Differences({ asset }: { asset: Asset }) {
  const [url, setUrl] = useUrl();
  const { data: versions } = useVersions(asset.id);
  const within = (text: string | undefined, otherwise: number) => {
    const n = Math.trunc(Number(text));
    return n >= 1 && n <= asset.version ? n : otherwise;
  };
  const to = within(url['to'], asset.version);
  const from = within(url['from'], Math.max(1, to - 1));
  const { data, error, refetch } = useQuery({
    queryKey: ['diff', asset.id, from, to],
    queryFn: ({ signal }) =>
      magpie.json<{ changes: Change[] }>('GET', `/api/assets/${asset.id}/diff`, {
        query: { from, to },
        signal,
      }),
    // What was, stays; but the current version's name and metadata may still change.
    staleTime: to === asset.version || from === asset.version ? 0 : Infinity,
  });
  const options = Array.from({ length: asset.version }, (_, i) => {
    const n = asset.version - i;
    return [String(n), t('work.asset.version', { n })] as const;
  });
  const find = (n: number) => versions?.find((one) => one.number === n);
  const isPicture = (n: number) => (find(n)?.width ?? 0) > 0;
  const pictures = isPicture(from) && isPicture(to) && from !== to;
  return (
    <section className="flex flex-col gap-3">
      <h2 className="text-lg font-semibold">{t('work.diff.title')}</h2>
      <div className="flex flex-wrap gap-3">
        <Select
          label={t('work.diff.from')}
          value={String(from)}
          options={options}
          onChange={(next) => setUrl({ from: next }, true)}
          className="w-40"
        />
        <Select
          label={t('work.diff.to')}
          value={String(to)}
          options={options}
          onChange={(next) => setUrl({ to: next, from: String(from) }, true)}
          className="w-40"
        />
      </div>
      {pictures && (
        <div className="grid grid-cols-2 gap-3">
          <Side version={find(from)} />
          <Side version={find(to)} />
        </div>
      )}
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-24" />
      ) : data.changes.length === 0 ? (
        <p className="flex items-center gap-2 text-muted">
          <Equal size={18} aria-hidden />
          {t('work.diff.same')}
        </p>
      ) : (
        <div
          tabIndex={0}
          role="region"
          aria-label={t('work.diff.title')}
          className="overflow-x-auto rounded-md border border-line bg-surface"
        >
          <table className="w-full min-w-96 table-fixed text-left">
            <thead>
              <tr className="border-b border-line text-muted">
                <th scope="col" className="w-1/4 px-4 py-2 font-medium">
                  {t('work.diff.member')}
                </th>
                <th scope="col" className="px-4 py-2 font-medium">
                  {t('work.asset.version', { n: from })}
                </th>
                <th scope="col" className="px-4 py-2 font-medium">
                  {t('work.asset.version', { n: to })}
                </th>
              </tr>
            </thead>
            <tbody>
              {data.changes.map((change) => (
                <tr key={change.field} className="border-b border-line align-top last:border-0">
                  <th scope="row" className="px-4 py-2 font-medium break-words">
                    {fieldName(change.field)}
                  </th>
                  <td className="px-4 py-2">
                    <Value field={change.field} value={change.from} />
                  </td>
                  <td className="px-4 py-2">
                    <Value field={change.field} value={change.to} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
