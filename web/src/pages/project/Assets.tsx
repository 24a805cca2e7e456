/* What a project holds, of any type: found by name and type, added by dropping files, taken away. */
import type { components } from '@magpie/client';
import { useInfiniteQuery, type InfiniteData } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Download, FilePlus2, FolderOpen, SearchX, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { magpie, queries } from '@/app/session';
import { toastError, undoable } from '@/app/toasts';
import { Thumb } from '@/grid/Picture';
import type { Project } from '@/lib/projects';
import { useUrl } from '@/lib/url';
import { ago, bytes, date, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { INPUT } from '@/ui/Field';
import { FileSign } from '@/ui/FileSign';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { ofDrop } from '@/upload/files';
import { sendFiles } from '@/upload/assets';
import { Sendings } from './Sendings';

type Asset = components['schemas']['Asset'];
interface AssetPage {
  assets: Asset[];
  next_cursor: string | null;
}

const KINDS = ['image', 'document', 'dataset', 'model', 'video', 'file'] as const;
const ROW = 64;
const TYPING_MS = 300;

/** A word is looked for anywhere in the name; whoever writes a pattern means it. */
export function patternOf(text: string): string {
  const word = text.trim();
  return word === '' || /[*?[]/.test(word) ? word : `*${word}*`;
}

function useAssets(project: number, type: string, q: string) {
  const query = useInfiniteQuery({
    queryKey: ['assets', project, type, q],
    queryFn: ({ pageParam, signal }) =>
      magpie.json<AssetPage>('GET', `/api/projects/${project}/assets`, {
        query: { type: type || undefined, q: patternOf(q) || undefined, limit: 100, cursor: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  return { ...query, list: query.data?.pages.flatMap((page) => page.assets) };
}

/** Gone at once, removed when the time to take it back is over. */
function removeAsset(asset: Asset): void {
  const key = ['assets', asset.project_id];
  const again = () => void queries.invalidateQueries({ queryKey: key });
  queries.setQueriesData<InfiniteData<AssetPage>>(
    { queryKey: key },
    (old) =>
      old && {
        ...old,
        pages: old.pages.map((page) => ({
          ...page,
          assets: page.assets.filter((one) => one.id !== asset.id),
        })),
      },
  );
  const commit = () => {
    magpie
      .json('DELETE', `/api/assets/${asset.id}`, { keepalive: true })
      .then(() => {
        for (const one of ['projects', 'timeline', 'stats', 'recent'])
          void queries.invalidateQueries({ queryKey: [one] });
      })
      .catch((error: unknown) => {
        again();
        toastError(error);
      });
  };
  undoable(t('work.asset.removed', { name: asset.title || asset.name }), t('app.undo'), commit, again);
}

function Row({ asset, may }: { asset: Asset; may: boolean }) {
  const name = asset.title || asset.name;
  return (
    <>
      {asset.preview_url ? (
        <Thumb
          src={`${asset.preview_url}&v=${asset.version}`}
          alt=""
          className="size-12 shrink-0 rounded-md"
        />
      ) : (
        <span className="flex size-12 shrink-0 items-center justify-center rounded-md bg-sunken text-muted">
          <FileSign type={asset.type} name={asset.name} size={22} strokeWidth={1.5} />
        </span>
      )}
      <div className="min-w-0 flex-1">
        <Link
          to={`/projects/${asset.project_id}/assets/${asset.id}`}
          className="block truncate rounded-md font-medium hover:underline"
        >
          {name}
        </Link>
        <p className="truncate text-muted">
          {asset.type} · {bytes(asset.bytes)}
          {asset.title && ` · ${asset.name}`}
          {asset.state === 'missing' && ` · ${t('work.asset.missing')}`}
        </p>
      </div>
      <span
        className="shrink-0 text-muted tabular-nums"
        title={t('work.asset.version', { n: asset.version })}
      >
        {t('work.asset.v', { n: asset.version })}
      </span>
      {asset.updated_at && (
        <span className="w-28 shrink-0 text-right text-muted max-md:hidden" title={date(asset.updated_at)}>
          {ago(asset.updated_at)}
        </span>
      )}
      <a
        href={asset.content_url}
        download={asset.name}
        aria-label={t('work.asset.downloadOne', { name })}
        title={t('work.asset.downloadOne', { name })}
        className="inline-flex size-9 shrink-0 items-center justify-center rounded-md hover:bg-sunken max-sm:hidden pointer-coarse:size-11"
      >
        <Download size={18} aria-hidden />
      </a>
      {may && (
        <IconButton
          icon={Trash2}
          label={t('app.remove', { what: name })}
          onClick={() => removeAsset(asset)}
        />
      )}
    </>
  );
}

function List({ list, may, onNear }: { list: readonly Asset[]; may: boolean; onNear: () => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: list.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  const shown = rows.getVirtualItems();
  const near = (shown.at(-1)?.index ?? 0) > list.length - 20;
  const latest = useRef(onNear);
  useEffect(() => {
    latest.current = onNear;
  });
  useEffect(() => {
    if (near) latest.current();
  }, [near, list.length]);
  return (
    <div
      ref={scroller}
      tabIndex={0}
      role="region"
      aria-label={t('work.project.assets')}
      className="max-h-[70dvh] overflow-auto rounded-md border border-line bg-surface"
    >
      <ul className="relative" style={{ height: rows.getTotalSize() }}>
        {shown.map((row) => {
          const asset = list[row.index];
          return asset ? (
            <li
              key={asset.id}
              style={{ transform: `translateY(${row.start}px)`, height: ROW }}
              className="absolute flex w-full items-center gap-3 border-b border-line px-3"
            >
              <Row asset={asset} may={may} />
            </li>
          ) : null;
        })}
      </ul>
    </div>
  );
}

/** Files from the disk or dropped; what they are to be is said beforehand. */
function Add({ project, type, onType }: { project: number; type: string; onType: (type: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Button look="primary" icon={FilePlus2} onClick={() => input.current?.click()}>
        {t('work.project.add')}
      </Button>
      <Select
        bare
        label={t('work.project.addAs')}
        value={type}
        options={[
          ['', t('work.project.byItself')],
          ...KINDS.map((kind) => [kind, t(`work.kind.${kind}`)] as const),
        ]}
        onChange={onType}
        className="w-48"
      />
      <p className="text-muted max-md:hidden">{t('work.project.dropHint')}</p>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-pick="assets"
        onChange={(event) => {
          sendFiles(project, type, [...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
    </div>
  );
}

function useTyped(value: string, onSettle: (value: string) => void) {
  const [typed, setTyped] = useState(value);
  const settle = useRef(onSettle);
  useEffect(() => {
    settle.current = onSettle;
  });
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => settle.current(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value]);
  return [typed, setTyped] as const;
}

export function Assets({ project, may }: { project: Project; may: boolean }) {
  const [url, setUrl] = useUrl();
  const type = url['type'] ?? '';
  const q = url['q'] ?? '';
  const [typed, setTyped] = useTyped(q, (next) => setUrl({ q: next || undefined }, true));
  const [as, setAs] = useState('');
  const [over, setOver] = useState(false);
  const { list, error, refetch, hasNextPage, isFetching, fetchNextPage } = useAssets(project.id, type, q);
  const filtered = type !== '' || q !== '';
  return (
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
        void ofDrop(event.dataTransfer).then((found) =>
          sendFiles(
            project.id,
            as,
            found.map(({ file }) => file),
          ),
        );
      }}
      className={cx(
        'flex flex-col gap-4 rounded-md',
        over && 'bg-accent-soft outline-2 outline-offset-8 outline-accent outline-dashed',
      )}
    >
      {may && <Add project={project.id} type={as} onType={setAs} />}
      <Sendings project={project.id} />
      {(filtered || (list && list.length > 0)) && (
        <div className="flex gap-3">
          <input
            type="search"
            aria-label={t('work.project.find')}
            placeholder={t('work.project.find')}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            className={cx(INPUT, 'max-w-72 min-w-0 flex-1')}
          />
          <Select
            bare
            label={t('work.project.kind')}
            value={type}
            options={[
              ['', t('work.project.anyKind')],
              ...KINDS.map((kind) => [kind, t(`work.kind.${kind}`)] as const),
            ]}
            onChange={(next) => setUrl({ type: next || undefined }, true)}
            className="w-40 shrink-0"
          />
        </div>
      )}
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !list ? (
        <div className="flex flex-col gap-1">
          {Array.from({ length: 4 }, (_, i) => (
            <Skeleton key={i} className="h-14" />
          ))}
        </div>
      ) : list.length > 0 ? (
        <List
          list={list}
          may={may}
          onNear={() => {
            if (hasNextPage && !isFetching) void fetchNextPage();
          }}
        />
      ) : filtered ? (
        <Empty icon={SearchX} title={t('work.project.noHits')} text={t('work.project.noHitsHint')}>
          <Button
            onClick={() => {
              setTyped('');
              setUrl({ q: undefined, type: undefined }, true);
            }}
          >
            {t('work.project.showAll')}
          </Button>
        </Empty>
      ) : (
        <Empty
          icon={FolderOpen}
          title={t('work.project.empty')}
          text={t(may ? 'work.project.emptyHint' : 'work.project.emptyRead')}
        />
      )}
    </div>
  );
}
