import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { FilterX, ImagePlus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useProjectId } from '@/app/project';
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
import { Filters, FILTERS, ROWS, type RowSize } from './Filters';

const STORED = 'magpie.rows';
const NONE: ReadonlySet<number> = new Set();

interface Timeline {
  total: number;
  segments: Segment[];
}

function useDeletion(hidden: ReadonlySet<number>, setHidden: (hidden: ReadonlySet<number>) => void) {
  const client = useQueryClient();
  // Hidden at once, deleted when the time to take it back is over.
  return (ids: readonly number[]) => {
    const gone = new Set([...hidden, ...ids]);
    setHidden(gone);
    const back = () => setHidden(new Set([...gone].filter((id) => !ids.includes(id))));
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
  const client = useQueryClient();
  const projectId = useProjectId();
  const may = mayWrite(useUser());
  const [rows, setRows] = useState<RowSize>(() => {
    const kept = localStorage.getItem(STORED);
    return kept === 'small' || kept === 'large' ? kept : 'medium';
  });
  const [selection, setSelection] = useState(new Selection());
  const [hidden, setHidden] = useState(NONE);
  const remove = useDeletion(hidden, setHidden);

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

  const tag = (add: string[], drop: string[]) => {
    const ids = [...selection.ids];
    magpie
      .json('POST', '/api/images/tags', { body: { ids, add_tags: add, remove_tags: drop } })
      .then(() => {
        toast({ text: t('bulk.tagged', { n: ids.length }) });
        void client.invalidateQueries({ queryKey: ['image'] });
        void client.invalidateQueries({ queryKey: ['timeline'] });
      })
      .catch(toastError);
  };

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
          />
        )}
      </div>
      {selection.size > 0 && (
        <Bulk
          n={selection.size}
          may={may}
          onClear={() => setSelection(new Selection())}
          onTag={tag}
          onDelete={() => {
            remove([...selection.ids]);
            setSelection(new Selection());
          }}
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
