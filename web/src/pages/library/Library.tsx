import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { FilterX, ImagePlus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useProjectId, type Project } from '@/app/project';
import { magpie, mayWrite, useUser } from '@/app/session';
import { toast, toastError, undoable } from '@/app/toasts';
import { Grid } from '@/grid/Grid';
import { sectionsOf, type Segment } from '@/grid/sections';
import { Selection } from '@/grid/select';
import { useLoadCells, type ListQuery } from '@/grid/useCells';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { useTitle } from '@/ui/Page';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Viewer } from '@/viewer/Viewer';
import { Bulk } from './Bulk';
import { moveMany, tagMany } from './changes';
import { Filters, FILTERS, ROWS, type RowSize } from './Filters';
import { Jump } from './Jump';

const STORED = 'magpie.rows';
const NONE: ReadonlySet<number> = new Set();

interface Timeline {
  total: number;
  segments: Segment[];
}

type Hide = (change: (hidden: ReadonlySet<number>) => ReadonlySet<number>) => void;

const withThese = (ids: readonly number[]) => (hidden: ReadonlySet<number>) => new Set([...hidden, ...ids]);
const withoutThese = (ids: readonly number[]) => (hidden: ReadonlySet<number>) =>
  new Set([...hidden].filter((id) => !ids.includes(id)));

function useDeletion(setHidden: Hide) {
  const client = useQueryClient();
  // Hidden at once, deleted when the time to take it back is over.
  return (ids: readonly number[]) => {
    setHidden(withThese(ids));
    const back = () => setHidden(withoutThese(ids));
    const commit = () => {
      magpie
        .json('POST', '/api/images/delete', { body: { ids }, keepalive: true })
        .then(() => client.invalidateQueries({ queryKey: ['timeline'] }))
        .catch((error: unknown) => {
          back();
          toastError(error);
        });
    };
    undoable(t('bulk.deleted', { n: ids.length }), t('app.undo'), commit, back);
  };
}

/** Gone at once from the project that is looked at; back where the service refuses, or when it is taken back. */
function moveAway(ids: readonly number[], from: number | undefined, to: Project, setHidden: Hide): void {
  const back = () => setHidden(withoutThese(ids));
  if (from !== undefined) setHidden(withThese(ids));
  void moveMany(ids, to, back).then((fine) => {
    if (!fine) back();
  });
}

function useOpen(query: ListQuery, segments: readonly Segment[]) {
  const [url, setUrl] = useUrl();
  const [place, setPlace] = useState<number | null>(null);
  const load = useLoadCells(query);
  const open = (id: number, at: number | null, replace = false) => {
    setPlace(at);
    setUrl({ image: String(id) }, replace);
  };
  const step = async (by: 1 | -1) => {
    const at = (place ?? 0) + by;
    const section = sectionsOf(segments).find((one) => at >= one.first && at < one.first + one.segment.count);
    if (!section) return;
    const cell = (await load(section))[at - section.first];
    if (cell) open(cell.id, at, true);
  };
  const id = Number(url['image']) || null;
  return {
    id,
    open,
    step: place === null ? undefined : (by: 1 | -1) => void step(by),
    close: () => setUrl({ image: undefined }),
  };
}

export default function Library() {
  useTitle(t('nav.library'));
  const [url, setUrl] = useUrl();
  const navigate = useNavigate();
  const projectId = useProjectId();
  const may = mayWrite(useUser());
  const [rows, setRows] = useState<RowSize>(() => {
    const kept = localStorage.getItem(STORED);
    return kept === 'small' || kept === 'large' ? kept : 'medium';
  });
  const [selection, setSelection] = useState(new Selection());
  const [hidden, setHidden] = useState(NONE);
  const remove = useDeletion(setHidden);
  const [jumping, setJumping] = useState(false);
  const [target, setTarget] = useState<{ month: string } | null>(null);

  const asked = JSON.stringify({
    sort: url['sort'] ?? 'added',
    order: url['order'] ?? 'desc',
    project_id: projectId,
    ...Object.fromEntries(FILTERS.map((name) => [name, url[name]])),
  });
  const query = useMemo(() => JSON.parse(asked) as ListQuery, [asked]);
  const { data, error, refetch } = useQuery({
    queryKey: ['timeline', query],
    queryFn: ({ signal }) =>
      magpie.json<Timeline>('GET', '/api/images/timeline', { query: { ...query, size: 200 }, signal }),
    placeholderData: keepPreviousData,
  });
  const viewer = useOpen(query, data?.segments ?? []);
  const filtered = FILTERS.some((name) => url[name]);

  return (
    <div className="relative flex h-full flex-col">
      <Filters
        url={url}
        onSet={(patch) => {
          setSelection(new Selection());
          setUrl(patch);
        }}
        rows={rows}
        onRows={(next) => {
          localStorage.setItem(STORED, next);
          setRows(next);
        }}
        total={data?.total}
        onJump={() => setJumping(true)}
      />
      <div className="min-h-0 flex-1">
        {error ? (
          <div className="p-6">
            <Trouble error={error} onRetry={() => void refetch()} />
          </div>
        ) : !data ? (
          <div className="p-3">
            <Skeleton className="h-96" />
          </div>
        ) : data.total === 0 && filtered ? (
          <Empty icon={FilterX} title={t('library.noMatch')} text={t('library.noMatchHint')}>
            <Button onClick={() => setUrl(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}>
              {t('library.clearFilters')}
            </Button>
          </Empty>
        ) : data.total === 0 ? (
          <Empty icon={ImagePlus} title={t('library.empty')} text={t('library.emptyHint')}>
            {may && (
              <Button look="primary" onClick={() => void navigate({ to: '/upload' })}>
                {t('library.upload')}
              </Button>
            )}
          </Empty>
        ) : (
          <Grid
            key={asked}
            segments={data.segments}
            query={query}
            wanted={Math.min(ROWS[rows], Math.max(100, window.innerWidth / 3.2))}
            selection={selection}
            onSelection={setSelection}
            onOpen={viewer.open}
            onTooMany={() => toast({ text: t('grid.tooMany'), kind: 'error' })}
            hidden={hidden}
            target={target}
          />
        )}
      </div>
      {selection.size > 0 && (
        <Bulk
          n={selection.size}
          may={may}
          onClear={() => setSelection(new Selection())}
          from={projectId}
          onTag={(add, drop) => void tagMany([...selection.ids], add, drop)}
          onMove={(project) => {
            moveAway([...selection.ids], projectId, project, setHidden);
            setSelection(new Selection());
          }}
          onDelete={() => {
            remove([...selection.ids]);
            setSelection(new Selection());
          }}
        />
      )}
      {jumping && (
        <Jump
          segments={data?.segments ?? []}
          folder={url['folder'] ?? ''}
          onMonth={(month) => setTarget({ month })}
          onFolder={(path) => {
            setSelection(new Selection());
            setUrl({ folder: path });
          }}
          onClose={() => setJumping(false)}
        />
      )}
      {viewer.id !== null && (
        <Viewer
          id={viewer.id}
          onClose={viewer.close}
          onOpen={(id) => viewer.open(id, null)}
          onStep={viewer.step}
          onDelete={(id) => {
            remove([id]);
            viewer.close();
          }}
        />
      )}
    </div>
  );
}
