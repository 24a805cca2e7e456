import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { ImagePlus, MonitorX } from 'lucide-react';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjectId } from '@/app/project';
import { magpie, mayWrite, useUser } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Chip } from '@/ui/Chip';
import { Empty } from '@/ui/Empty';
import { useTitle } from '@/ui/Page';
import { Trouble } from '@/ui/Trouble';
import { Viewer } from '@/viewer/Viewer';
import { writeTerms } from '../search/terms';
import { Chosen } from './Chosen';
import { changed, filterOf, gathered, NOBODY, toggled } from './chosen';
import {
  COLORS,
  forgetCells,
  useColors,
  useHits,
  useMap,
  useNeighbours,
  type ColorBy,
  type Source,
} from './data';
import type { Cloud } from './engine/cloud';
import type { Coloring } from './engine/coloring';
import { NONE } from './engine/look';
import { drawsInSoftware, type Scene } from './engine/Scene';
import { Hover } from './Hover';
import { Legend, nameOf, valueText } from './Legend';
import { Making } from './Making';
import { drawLegend, save } from './picture';
import { Tools } from './Tools';
import { useRegion, type Tool } from './useRegion';
import { useScene, type Pointed } from './useScene';
import { useSettled } from './useSettled';
import { useThemeName } from './useThemeName';
import { Words } from './Words';

const ALL: ReadonlySet<number> = new Set();
const NO_LINES: readonly { from: number; to: number }[] = [];
const SIMILAR_TO = 16;
const TAG_AT_ONCE = 10_000;

function useSource(): Source {
  const [url] = useUrl();
  const projectId = useProjectId();
  const dims = url['dims'] === '3' ? 3 : 2;
  const synthetic = Math.min(5_000_000, Math.max(0, Number(url['synthetic']) || 0));
  const where = url['where'];
  return useMemo(() => ({ dims, projectId, where, synthetic }), [dims, projectId, where, synthetic]);
}

function choiceOf(text: string | undefined): ColorBy {
  return COLORS.find((one) => one === text) ?? 'cluster';
}

/** What the colour of a point says. */
function meaningOf(by: ColorBy, coloring: Coloring | undefined, place: number): string | undefined {
  const value = coloring?.values[place];
  if (!coloring || value === undefined || value === NONE) return undefined;
  if (coloring.kind === 'category') return nameOf(by, coloring.categories[value]?.name ?? '');
  const at = coloring.low + ((coloring.high - coloring.low) * value) / 254;
  return t('explore.value', { name: t(`explore.by.${by}`), value: valueText(by, at) });
}

/** Moves the view by the keys, while the canvas has the focus. */
function useCanvasKeys(scene: Scene | null, dims: 2 | 3, onPick: (place: number, add: boolean) => void) {
  return (event: KeyboardEvent<HTMLCanvasElement>) => {
    if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const by = arrows[event.key];
    const { clientWidth: width, clientHeight: height } = event.currentTarget;
    if (by && dims === 3 && !event.shiftKey) scene.rotateBy(by[0] * 10, by[1] * -8);
    else if (by) scene.panBy(by[0] * 0.1, by[1] * 0.1);
    else if (event.key === 'Enter')
      onPick(scene.at(width / 2, height / 2, Math.min(width, height) / 4), event.shiftKey);
    else return;
    event.preventDefault();
  };
}

interface Explorer {
  cloud: Cloud;
  source: Source;
}

function Explorer({ cloud, source }: Explorer) {
  const [url, setUrl] = useUrl();
  const navigate = useNavigate();
  const client = useQueryClient();
  const may = mayWrite(useUser());
  const theme = useThemeName();
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const bare = source.synthetic > 0;

  const [tool, setTool] = useState<Tool>('move');
  const [thumbnails, setThumbnails] = useState(true);
  const [chosen, setChosen] = useState<Uint32Array>(NOBODY);
  const [hidden, setHidden] = useState(ALL);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [broken, setBroken] = useState<Error | null>(null);

  const by = bare ? 'cluster' : choiceOf(url['color']);
  const colors = useColors(by, cloud, source);
  const coloring = colors.data;
  const words = url['q'] ?? '';
  const search = useHits(words, cloud, source);
  const near = useSettled(pointed?.place ?? (chosen.length === 1 ? (chosen[0] ?? -1) : -1), 250);
  const neighbours = useNeighbours(near, cloud, source);
  const lines = useMemo(
    () => (neighbours ? [...neighbours.keys()].map((to) => ({ from: near, to })) : NO_LINES),
    [neighbours, near],
  );

  const pick = (place: number, add: boolean) =>
    setChosen(place < 0 ? (add ? chosen : NOBODY) : add ? toggled(chosen, place) : Uint32Array.of(place));
  const { scene } = useScene(
    canvas,
    cloud,
    !bare,
    { coloring, hits: search.hits?.scores, chosen, hidden, lines, thumbnails, theme },
    { onHover: setPointed, onPick: pick, onError: setBroken },
  );
  const region = useRegion(frame, tool, (polygon, change) => {
    const places = scene && polygon.length ? scene.select(polygon) : NOBODY;
    setChosen(changed(chosen, places, change, cloud.count));
  });
  const ids = useMemo(() => Array.from(chosen, (place) => cloud.ids[place] ?? 0), [chosen, cloud]);
  const onKeyDown = useCanvasKeys(scene, source.dims, pick);

  useShortcuts([
    { keys: 'v', label: t('explore.tool.move'), run: () => setTool('move') },
    { keys: 'b', label: t('explore.tool.box'), run: () => setTool('box') },
    { keys: 'l', label: t('explore.tool.lasso'), run: () => setTool('lasso') },
    { keys: 'a', label: t('explore.allInView'), run: () => scene && setChosen(scene.selectAll()) },
    { keys: '+', label: t('explore.zoomIn'), run: () => scene?.zoomBy(0.7) },
    { keys: '-', label: t('explore.zoomOut'), run: () => scene?.zoomBy(-0.7) },
    { keys: '0', label: t('explore.fit'), run: () => scene?.fit() },
    { keys: 'Escape', label: t('explore.clear'), run: () => setChosen(NOBODY) },
  ]);

  const tag = async (tags: string[], open: boolean) => {
    if (tags.length === 0) return;
    try {
      for (let from = 0; from < ids.length; from += TAG_AT_ONCE)
        await magpie.json('POST', '/api/images/tags', {
          body: { ids: ids.slice(from, from + TAG_AT_ONCE), add_tags: tags },
        });
      toast({ text: t('explore.tagged', { n: ids.length }) });
      forgetCells();
      void client.invalidateQueries({ queryKey: ['explore-cells'] });
      void client.invalidateQueries({ queryKey: ['map-colors', 'tag'] });
      void client.invalidateQueries({ queryKey: ['timeline'] });
      if (open) void navigate({ to: '/library', search: { tag: tags[0] } });
    } catch (error) {
      toastError(error);
    }
  };
  const picture = () =>
    void scene
      ?.picture((context) => {
        drawLegend(
          context,
          t('explore.pictureTitle', { by: t(`explore.by.${by}`), n: cloud.count }),
          by,
          coloring,
          theme,
        );
      })
      .then((blob) => blob && save(blob, 'magpie-map.png'))
      .catch(toastError);
  const filter = filterOf(ids);
  const image = Number(url['image']) || null;

  if (broken)
    return (
      <Empty icon={MonitorX} title={t('explore.broken')} text={t('explore.brokenHint')}>
        <Button look="primary" onClick={() => location.reload()}>
          {t('error.reload')}
        </Button>
      </Empty>
    );
  return (
    <div className="flex h-full min-h-0 flex-col md:flex-row">
      <div ref={frame} className="relative min-h-0 min-w-0 flex-1 overflow-hidden">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label={t('explore.canvas', { n: cloud.count })}
          aria-describedby="explore-keys"
          data-ready={scene !== null && coloring !== undefined}
          onKeyDown={onKeyDown}
          onDoubleClick={() => pointed && !bare && setUrl({ image: String(cloud.ids[pointed.place]) })}
          className={`peer absolute inset-0 size-full touch-none outline-offset-[-2px] ${tool === 'move' ? '' : 'cursor-crosshair!'}`}
        />
        <p id="explore-keys" className="sr-only">
          {t(source.dims === 3 ? 'explore.keys3' : 'explore.keys2')}
        </p>
        <span
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-1/2 hidden size-5 -translate-1/2 rounded-full border-2 border-accent peer-focus-visible:block"
        />
        {region && (
          <svg aria-hidden className="pointer-events-none absolute inset-0 size-full">
            <polygon
              points={region.map((corner) => corner.join(',')).join(' ')}
              className="fill-accent/15 stroke-accent"
              strokeWidth={1.5}
              strokeDasharray="4 3"
            />
          </svg>
        )}
        {pointed && !region && (
          <Hover
            pointed={pointed}
            id={cloud.ids[pointed.place] ?? 0}
            score={search.hits?.scores.get(pointed.place)}
            meaning={meaningOf(by, coloring, pointed.place)}
            bare={bare}
          />
        )}
        <Tools
          tool={tool}
          onTool={setTool}
          dims={source.dims}
          onDims={(dims) => setUrl({ dims: dims === 3 ? '3' : undefined })}
          thumbnails={bare ? undefined : thumbnails}
          onThumbnails={setThumbnails}
          onZoom={(steps) => scene?.zoomBy(steps)}
          onFit={() => scene?.fit()}
          onPicture={picture}
        />
      </div>
      <aside
        aria-label={t('explore.panel')}
        className="flex shrink-0 flex-col gap-5 overflow-auto border-line bg-surface p-4 max-md:h-[45%] max-md:border-t md:w-80 md:border-l"
      >
        {source.where && <Chip text={source.where} onRemove={() => setUrl({ where: undefined })} />}
        {!bare && (
          <Words
            words={words}
            onWords={(q) => setUrl({ q: q || undefined })}
            hits={search.hits}
            busy={search.isFetching}
            error={search.error}
            onFit={() => scene?.fit([...(search.hits?.scores.keys() ?? [])])}
            onChoose={() => setChosen(Uint32Array.from(search.hits?.scores.keys() ?? []).sort())}
          />
        )}
        <Legend
          by={by}
          onBy={(next) => {
            setHidden(ALL);
            setUrl({ color: next === 'cluster' ? undefined : next }, true);
          }}
          choices={bare ? ['cluster'] : COLORS}
          coloring={coloring}
          error={colors.error}
          onRetry={() => void colors.refetch()}
          theme={theme}
          hidden={hidden}
          onHidden={setHidden}
          onChoose={(value) =>
            setChosen(gathered(coloring ? coloring.values.map((one) => (one === value ? 1 : 0)) : []))
          }
        />
        <Chosen
          key={bare ? 'bare' : 'real'}
          ids={ids}
          bare={bare}
          may={may}
          onClear={() => setChosen(NOBODY)}
          onAllInView={() => scene && setChosen(scene.selectAll())}
          onOpen={(id) => setUrl({ image: String(id) })}
          onShow={(id) => scene?.centre(cloud.find(id))}
          onDrop={(id) => setChosen(chosen.filter((place) => cloud.ids[place] !== id))}
          onTag={(tags, open) => void tag(tags, open)}
          onLibrary={
            filter === undefined
              ? undefined
              : () => void navigate({ to: '/library', search: { where: filter } })
          }
          onSimilar={() => {
            const terms = ids
              .slice(0, SIMILAR_TO)
              .map((id) => ({ kind: 'id' as const, value: String(id), weight: 1, not: false }));
            void navigate({ to: '/search', search: { mix: writeTerms(terms) } });
          }}
        />
      </aside>
      {image !== null && (
        <Viewer
          id={image}
          onClose={() => setUrl({ image: undefined })}
          onOpen={(id) => setUrl({ image: String(id) }, true)}
        />
      )}
    </div>
  );
}

export default function Explore() {
  useTitle(t('explore.title'));
  const navigate = useNavigate();
  const source = useSource();
  const may = mayWrite(useUser());
  const { data, error, refetch } = useMap(source);
  const [graphics] = useState(() => drawsInSoftware() !== null);
  // The position on a map of two dimensions says nothing on one of three: the old one must not stay for a moment.
  const key = JSON.stringify(source);
  useEffect(() => forgetCells, []);
  return (
    <div className="relative h-full">
      <h1 className="sr-only">{t('explore.title')}</h1>
      {!graphics ? (
        <Empty icon={MonitorX} title={t('explore.noGraphics')} text={t('explore.noGraphicsHint')}>
          <Button look="primary" onClick={() => void navigate({ to: '/library' })}>
            {t('nav.library')}
          </Button>
        </Empty>
      ) : error ? (
        <div className="p-6">
          <Trouble error={error} onRetry={() => void refetch()} />
        </div>
      ) : !data?.cloud ? (
        <Making news={data?.news} />
      ) : data.cloud.count === 0 ? (
        <Empty icon={ImagePlus} title={t('explore.empty')} text={t('explore.emptyHint')}>
          {may && (
            <Button look="primary" onClick={() => void navigate({ to: '/upload' })}>
              {t('library.upload')}
            </Button>
          )}
        </Empty>
      ) : (
        <Explorer key={key} cloud={data.cloud} source={source} />
      )}
    </div>
  );
}
