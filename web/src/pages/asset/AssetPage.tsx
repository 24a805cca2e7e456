/* One asset: what it is, what is said of it, and every version it had. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Download, FileUp, Pencil } from 'lucide-react';
import { useRef, useState, type ReactNode } from 'react';
import { magpie, queries, useUser } from '@/app/session';
import { toast } from '@/app/toasts';
import { mayEdit, useProject, useUserName } from '@/lib/projects';
import { bytes, date, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { FileSign } from '@/ui/FileSign';
import { Meter } from '@/ui/Meter';
import { Page } from '@/ui/Page';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Differences } from './Differences';
import { Edit } from './Edit';
import { fresh, shown, type Asset } from './asset';
import { Versions } from './Versions';

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-h-9 flex-wrap items-baseline gap-x-4 border-b border-line py-1.5 last:border-0">
      <dt className="w-32 shrink-0 text-muted">{name}</dt>
      <dd className="min-w-0 flex-1 break-words">{children}</dd>
    </div>
  );
}

function Facts({ asset }: { asset: Asset }) {
  const by = useUserName(asset.user_id);
  const metadata = Object.entries(asset.metadata);
  return (
    <dl className="rounded-md border border-line bg-surface px-4 py-1">
      <Fact name={t('work.asset.kind')}>
        {asset.type}
        {asset.width > 0 && ` · ${asset.format} · ${number(asset.width)} × ${number(asset.height)}`}
      </Fact>
      <Fact name={t('work.asset.size')}>{bytes(asset.bytes)}</Fact>
      <Fact name={t('work.asset.file')}>{asset.name}</Fact>
      {asset.description && (
        <Fact name={t('work.projects.description')}>
          <span className="whitespace-pre-line">{asset.description}</span>
        </Fact>
      )}
      {asset.created_at && (
        <Fact name={t('work.asset.added')}>
          {date(asset.created_at)}
          {asset.user_id > 0 && ` · ${by ?? t('work.userNumber', { id: String(asset.user_id) })}`}
        </Fact>
      )}
      <Fact name={t('work.asset.sum')}>
        <code className="text-xs break-all">{asset.sha256}</code>
      </Fact>
      {metadata.map(([key, value]) => (
        <Fact key={key} name={key}>
          {shown(value)}
        </Fact>
      ))}
    </dl>
  );
}

function Preview({ asset }: { asset: Asset }) {
  if (!asset.preview_url)
    return (
      <div className="flex aspect-video items-center justify-center rounded-md bg-sunken text-muted">
        <FileSign type={asset.type} name={asset.name} size={72} strokeWidth={1} />
      </div>
    );
  return (
    <Link to={`/images/${asset.id}`} aria-label={t('work.asset.openPicture')} className="rounded-md">
      <img
        src={`${asset.preview_url}&size=1024&v=${asset.version}`}
        alt={asset.title || asset.name}
        width={asset.width}
        height={asset.height}
        className="h-auto max-h-96 w-full rounded-md bg-sunken object-contain"
      />
    </Link>
  );
}

/** New bytes by choice or by dropping a file, with how far they are. */
function useNewVersion(asset: Asset | undefined) {
  const [sent, setSent] = useState<{ sent: number; total: number } | null>(null);
  const mutation = useMutation({
    mutationFn: (file: File) =>
      magpie.addVersion(
        asset?.id ?? 0,
        { name: file.name, data: file },
        { onProgress: (now) => setSent({ sent: now, total: file.size }) },
      ),
    onSuccess: (answer) => {
      toast({
        text:
          answer.status === 'unchanged'
            ? t('work.asset.unchanged')
            : t('work.asset.newVersion', { n: answer.version }),
      });
      fresh(answer);
    },
    onSettled: () => setSent(null),
  });
  return { ...mutation, sent };
}

export default function AssetPage() {
  const { id, asset: number_ }: { id?: string; asset?: string } = useParams({ strict: false });
  const user = useUser();
  const { data: project } = useProject(Number(id));
  const {
    data: asset,
    error,
    refetch,
  } = useQuery({
    queryKey: ['asset', Number(number_)],
    queryFn: ({ signal }) => magpie.json<Asset>('GET', `/api/assets/${Number(number_)}`, { signal }),
  });
  const may = project !== undefined && asset?.state === 'present' && mayEdit(user, project);
  const add = useNewVersion(asset);
  const input = useRef<HTMLInputElement>(null);
  const [editing, setEditing] = useState(false);
  const [over, setOver] = useState(false);
  const name = asset ? asset.title || asset.name : t('work.asset.title');
  return (
    <Page
      title={name}
      actions={
        asset && (
          <>
            {may && (
              <Button icon={Pencil} onClick={() => setEditing(true)}>
                {t('work.asset.edit')}
              </Button>
            )}
            <a
              href={asset.content_url}
              download={asset.name}
              className="inline-flex min-h-9 items-center gap-2 rounded-md border border-line bg-surface px-3 font-medium hover:bg-sunken pointer-coarse:min-h-11"
            >
              <Download size={16} aria-hidden />
              {t('work.asset.download')}
            </a>
          </>
        )
      }
    >
      <nav aria-label={t('work.path')} className="-mt-4 flex flex-wrap gap-2">
        <Link to="/projects" className="text-accent underline">
          {t('work.projects.title')}
        </Link>
        <span aria-hidden>/</span>
        <Link to={`/projects/${Number(id)}`} className="min-w-0 break-words text-accent underline">
          {project?.name ?? t('work.projects.single')}
        </Link>
      </nav>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !asset ? (
        <Skeleton className="h-72" />
      ) : (
        <div
          onDragOver={(event) => {
            if (!may) return;
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={(event) => {
            if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
          }}
          onDrop={(event) => {
            if (!may) return;
            event.preventDefault();
            setOver(false);
            const [file] = event.dataTransfer.files;
            if (file) add.mutate(file);
          }}
          className={cx(
            'flex flex-col gap-6 rounded-md',
            over && 'bg-accent-soft outline-2 outline-offset-8 outline-accent outline-dashed',
          )}
        >
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,26rem)_minmax(0,1fr)]">
            <Preview asset={asset} />
            <Facts asset={asset} />
          </div>
          <section className="flex flex-col gap-3">
            <div className="flex flex-wrap items-center justify-between gap-3">
              <h2 className="text-lg font-semibold">{t('work.asset.versions')}</h2>
              {may && (
                <Button
                  look="primary"
                  icon={FileUp}
                  busy={add.isPending}
                  title={t('work.asset.dropHint')}
                  onClick={() => input.current?.click()}
                >
                  {t('work.asset.add')}
                </Button>
              )}
              <input
                ref={input}
                type="file"
                hidden
                data-pick="version"
                onChange={(event) => {
                  const [file] = event.target.files ?? [];
                  if (file) add.mutate(file);
                  event.target.value = '';
                }}
              />
            </div>
            {add.isPending && (
              <div role="status">
                <Meter
                  label={t('work.asset.sending')}
                  done={add.sent?.sent ?? 0}
                  total={add.sent?.total ?? 0}
                />
                <p className="mt-1 text-muted tabular-nums">
                  {add.sent
                    ? t('upload.of', {
                        sent: bytes(Math.min(add.sent.sent, add.sent.total)),
                        size: bytes(add.sent.total),
                      })
                    : t('work.asset.sending')}
                </p>
              </div>
            )}
            {add.error && <Trouble error={add.error} />}
            <Versions asset={asset} may={may} />
          </section>
          {asset.version > 1 && <Differences asset={asset} />}
        </div>
      )}
      {editing && asset && (
        <Edit
          asset={asset}
          onClose={() => setEditing(false)}
          onDone={(now) => {
            queries.setQueryData(['asset', now.id], now);
            fresh(now);
            setEditing(false);
          }}
        />
      )}
    </Page>
  );
}
