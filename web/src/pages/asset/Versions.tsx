import { useMutation } from '@tanstack/react-query';
import { Download, GitCompareArrows, History } from 'lucide-react';
import { useState } from 'react';
import { magpie } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { useUserName } from '@/lib/projects';
import { useUrl } from '@/lib/url';
import { ago, bytes, date, number, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { fresh, useVersions, type Asset, type Version } from './asset';

const AT_FIRST = 20;

function Row({
  asset,
  version,
  may,
  busy,
  onRestore,
}: {
  asset: Asset;
  version: Version;
  may: boolean;
  busy: boolean;
  onRestore: () => void;
}) {
  const [, setUrl] = useUrl();
  const by = useUserName(version.user_id);
  const n = version.number;
  return (
    <li className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2 last:border-0">
      <span className="w-24 shrink-0">
        <span className="font-medium">{t('work.asset.version', { n })}</span>
        {version.current && <span className="block text-ok">{t('work.asset.current')}</span>}
      </span>
      <span className="min-w-40 flex-1 text-muted">
        <span className="block truncate text-text">{version.name}</span>
        {bytes(version.bytes)}
        {version.width > 0 && ` · ${number(version.width)} × ${number(version.height)}`}
        {version.created_at && <span title={date(version.created_at)}> · {ago(version.created_at)}</span>}
        {version.user_id > 0 && ` · ${by ?? t('work.userNumber', { id: String(version.user_id) })}`}
      </span>
      <span className="flex shrink-0 items-center gap-1">
        {may && !version.current && (
          <Button icon={History} busy={busy} onClick={onRestore}>
            {t('work.asset.restore')}
          </Button>
        )}
        {asset.version > 1 && !version.current && (
          <IconButton
            icon={GitCompareArrows}
            label={t('work.asset.compareOne', { n })}
            onClick={() => setUrl({ from: String(n), to: undefined }, true)}
          />
        )}
        <a
          href={version.content_url}
          download={version.name}
          aria-label={t('work.asset.downloadVersion', { n })}
          title={t('work.asset.downloadVersion', { n })}
          className="inline-flex size-9 items-center justify-center rounded-md hover:bg-sunken pointer-coarse:size-11"
        >
          <Download size={18} aria-hidden />
        </a>
      </span>
    </li>
  );
}

export function Versions({ asset, may }: { asset: Asset; may: boolean }) {
  const { data, error, refetch } = useVersions(asset.id);
  const [all, setAll] = useState(false);
  const restore = useMutation({
    mutationFn: (n: number) =>
      magpie.json<Asset & { status: string }>('POST', `/api/assets/${asset.id}/versions/${n}/restore`, {
        body: {},
      }),
    onSuccess: (now, n) => {
      toast({
        text:
          now.status === 'unchanged'
            ? t('work.asset.unchanged')
            : t('work.asset.restored', { n, now: now.version }),
      });
      fresh(now);
    },
    onError: toastError,
  });
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-28" />;
  const list = all ? data : data.slice(0, AT_FIRST);
  return (
    <>
      <ol aria-label={t('work.asset.versions')} className="rounded-md border border-line bg-surface">
        {list.map((version) => (
          <Row
            key={version.number}
            asset={asset}
            version={version}
            may={may}
            busy={restore.isPending}
            onRestore={() => restore.mutate(version.number)}
          />
        ))}
      </ol>
      {data.length > list.length && (
        <Button className="self-center" onClick={() => setAll(true)}>
          {t('work.asset.allVersions', { n: data.length })}
        </Button>
      )}
    </>
  );
}
