/* The ranked wall: scores, heat maps, the slider of false alarms, verdicts by key, the normals, export. */
import { MagpieError } from '@magpie/client';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  Check,
  CircleCheck,
  Download,
  Flame,
  Flag,
  Images,
  ListFilter,
  RefreshCw,
  TriangleAlert,
  X,
} from 'lucide-react';
import { useCallback, useMemo, useRef, useState, type ReactNode } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjectId } from '@/app/project';
import { magpie, mayWrite, queries, useUser } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { Thumb } from '@/grid/Picture';
import { Selection } from '@/grid/select';
import { save } from '@/lib/save';
import { useUrl } from '@/lib/url';
import { keyOf, say, useVerdicts, type Word } from '@/lib/verdicts';
import { number, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Chip } from '@/ui/Chip';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Keycap } from '@/ui/Keycap';
import { Menu, MenuItem } from '@/ui/Menu';
import { RoomyButton } from '@/ui/RoomyButton';
import { RangeField } from '@/ui/RangeField';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Viewer } from '@/viewer/Viewer';
import { Heat } from './Heat';
import { Histogram } from './Histogram';
import { AsNormals, Normals, quoted } from './Normals';
import { csv, fetchOdd, lineOf, nearestRate, useOdd, type Odd, type Question } from './odd';
import { Tiles } from '@/ui/Tiles';

const MOST_EXPORTED = 100_000;
const percent = (value: number) => number(value, { style: 'percent', maximumFractionDigits: 1 });
const pictureName = ({ id, payload }: Odd) =>
  'name' in payload ? payload.title || payload.name : String(id);

/** Saying what a picture is, and taking the last word back. */
function useJudge() {
  const past = useRef<(() => void)[]>([]);
  const judge = useCallback((ids: readonly number[], word: Word) => {
    const told = ids.map((id) => say(word, id));
    for (const one of told) one.catch(toastError);
    const undo = () =>
      ids.forEach((id, i) => {
        told[i]?.then((before) => say(before, id)).catch(toastError);
      });
    past.current.push(undo);
    return undo;
  }, []);
  const undo = useCallback(() => past.current.pop()?.(), []);
  return { judge, undo };
}

function useExport(question: Question, alpha: number, verdicts: ReadonlyMap<string, Word>) {
  return useMutation({
    mutationFn: async (as: 'csv' | 'json') => {
      const all: Odd[] = [];
      for (let cursor: string | null = ''; cursor !== null && all.length < MOST_EXPORTED; ) {
        const page: Awaited<ReturnType<typeof fetchOdd>> = await fetchOdd(question, cursor, 1000);
        all.push(...page.anomalies);
        cursor = page.next_cursor;
      }
      const lines = all.map((one) => lineOf(one, alpha, verdicts.get(keyOf(one.id))));
      if (as === 'csv') save('anomalies.csv', 'text/csv', csv(lines));
      else
        save(
          'anomalies.json',
          'application/json',
          JSON.stringify({ ...question, alpha, anomalies: lines }, null, 1),
        );
    },
    onError: toastError,
  });
}

function VerdictMark({ word }: { word: Word | undefined }) {
  if (word !== 'normal' && word !== 'anomaly') return null;
  const Icon = word === 'normal' ? CircleCheck : TriangleAlert;
  return (
    <span
      className={cx(
        'absolute right-2 bottom-2 flex items-center gap-1 rounded-md bg-surface px-1.5 py-0.5 text-xs font-medium shadow',
        word === 'normal' ? 'text-ok' : 'text-danger',
      )}
    >
      <Icon size={14} aria-hidden />
      {t(`anomalies.is.${word}`)}
    </span>
  );
}

export function OddOnes({ heading }: { heading: ReactNode }) {
  const [url, setUrl] = useUrl();
  const project = useProjectId();
  const may = mayWrite(useUser());
  const normals = url['normals'] ?? '';
  const where = url['where'] ?? '';
  const question = useMemo(() => ({ project, where, normals }), [project, where, normals]);
  const query = useOdd(question);
  const { list, first, error, refetch, hasNextPage, isFetching, fetchNextPage } = query;
  const verdicts = useVerdicts();
  const { judge, undo } = useJudge();
  const [active, setActive] = useState(0);
  const [hovered, setHovered] = useState(0);
  const [selection, setSelection] = useState(() => new Selection());
  const [dialog, setDialog] = useState<'normals' | 'as' | null>(null);

  const tooFew = error instanceof MagpieError && error.status === 422 && !normals && !where;
  const rates = first?.rates ?? [];
  const at = nearestRate(rates, Number(url['alpha'] ?? 0.05) || 0.05);
  const rate = rates[at];
  const alpha = rate?.alpha ?? 0.05;
  const setRate = (index: number) => {
    const next = rates[Math.max(0, Math.min(rates.length - 1, index))];
    if (next) setUrl({ alpha: next.alpha === 0.05 ? undefined : String(next.alpha) }, true);
  };
  const heat = url['heat'] === '1';
  const only = url['flagged'] === '1';
  const shown = only ? list.filter((one) => one.p_value <= alpha) : list;
  const total = only ? (rate?.flagged ?? 0) : (first?.total ?? 0);
  const here = Math.min(active, Math.max(0, shown.length - 1));
  const current = shown[here];
  const toSave = useExport(question, alpha, verdicts);

  const near = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const again = () => void queries.resetQueries({ queryKey: ['anomalies'] });
  const decide = (word: Word) => {
    if (!may) return;
    if (selection.size > 0) {
      const back = judge([...selection.ids], word);
      toast({
        text: t(word === 'normal' ? 'anomalies.saidNormal' : 'anomalies.saidAnomaly', { n: selection.size }),
        action: { label: t('app.undo'), run: back },
      });
      setSelection(new Selection());
    } else if (current) {
      judge([current.id], word);
      setActive(Math.min(shown.length - 1, here + 1));
    }
  };
  const open = Number(url['picture'] ?? 0);
  const show = (index: number) => {
    const one = shown[index];
    if (!one) return;
    setActive(index);
    setUrl({ picture: String(one.id) }, open > 0);
  };
  const asNormals = useMutation({
    mutationFn: (tag: string) =>
      magpie.json('POST', '/api/images/tags', { body: { ids: [...selection.ids], add_tags: [tag] } }),
    onSuccess: (_, tag) => {
      setSelection(new Selection());
      setDialog(null);
      setUrl({ normals: quoted(tag) });
      again();
    },
    onError: toastError,
  });
  useShortcuts([
    { keys: 'n', label: t('anomalies.normal'), run: () => decide('normal') },
    { keys: 'a', label: t('anomalies.anomaly'), run: () => decide('anomaly') },
    { keys: 'z', label: t('app.undo'), run: () => undo() },
    { keys: 'ctrl+z', run: () => undo() },
    {
      keys: 'h',
      label: t('anomalies.heat'),
      run: () => setUrl({ heat: heat ? undefined : '1' }, true),
    },
    { keys: '[', label: t('anomalies.fewer'), run: () => setRate(at - 1) },
    { keys: ']', label: t('anomalies.more'), run: () => setRate(at + 1) },
    { keys: 'Escape', run: () => setSelection(new Selection()) },
  ]);

  return (
    <>
      <div className="flex flex-col gap-3 px-4 pt-4 md:px-6 md:pt-6">
        <div className="flex flex-wrap items-center gap-3">
          {heading}
          <div className="ml-auto flex flex-wrap gap-2">
            <RoomyButton
              icon={Flame}
              aria-pressed={heat}
              title={`${t('anomalies.heatHint')} (H)`}
              onClick={() => setUrl({ heat: heat ? undefined : '1' }, true)}
              className={cx(heat && 'border-accent bg-accent-soft')}
            >
              {t('anomalies.heat')}
            </RoomyButton>
            <RoomyButton icon={ListFilter} onClick={() => setDialog('normals')}>
              {t('anomalies.normals.open')}
            </RoomyButton>
            {first && (
              <Menu
                trigger={
                  <RoomyButton icon={Download} busy={toSave.isPending}>
                    {t('anomalies.export')}
                  </RoomyButton>
                }
              >
                <MenuItem onSelect={() => toSave.mutate('csv')}>{t('anomalies.csv')}</MenuItem>
                <MenuItem onSelect={() => toSave.mutate('json')}>{t('anomalies.json')}</MenuItem>
              </Menu>
            )}
            <RoomyButton icon={RefreshCw} disabled={isFetching} onClick={again}>
              {t('anomalies.again')}
            </RoomyButton>
          </div>
        </div>
        {(normals || where) && (
          <div className="flex flex-wrap gap-2">
            {normals && (
              <Chip
                text={t('anomalies.against', { normals, n: first?.normals ?? 0 })}
                onRemove={() => setUrl({ normals: undefined })}
              />
            )}
            {where && <Chip text={where} onRemove={() => setUrl({ where: undefined })} />}
          </div>
        )}
        {first && rate && (
          <div className="grid gap-x-8 gap-y-3 md:grid-cols-[minmax(0,1fr)_20rem]">
            <Histogram scores={first.scores} line={rate.score} flagged={rate.flagged} total={first.total} />
            <div>
              <RangeField
                label={t('anomalies.alpha')}
                shown={percent(alpha)}
                min={0}
                max={rates.length - 1}
                step={1}
                value={at}
                onChange={setRate}
              />
              <p role="status">
                <span className="font-medium">{t('anomalies.flagged', { n: rate.flagged })}</span>{' '}
                <span className="text-muted">{t('anomalies.ofAll', { n: first.total })}</span>
              </p>
              <label className="mt-1 inline-flex min-h-8 items-center gap-2">
                <input
                  type="checkbox"
                  checked={only}
                  onChange={(event) => setUrl({ flagged: event.target.checked ? '1' : undefined }, true)}
                  className="size-5"
                />
                {t('anomalies.onlyFlagged')}
              </label>
            </div>
          </div>
        )}
      </div>
      {tooFew ? (
        <Empty icon={Images} title={t('anomalies.tooFew')} text={t('anomalies.tooFewHint')}>
          <Link to="/upload" className="font-medium text-accent underline">
            {t('nav.upload')}
          </Link>
        </Empty>
      ) : error ? (
        <div className="p-4 md:p-6">
          <Trouble error={error} onRetry={() => void refetch()} />
          {normals !== '' && (
            <Button className="mt-3" onClick={() => setDialog('normals')}>
              {t('anomalies.normals.open')}
            </Button>
          )}
        </div>
      ) : !first ? (
        <div
          className="grid grid-cols-2 gap-3 px-4 md:grid-cols-6 md:px-6"
          role="status"
          aria-label={t('anomalies.looking')}
        >
          {Array.from({ length: 12 }, (_, i) => (
            <Skeleton key={i} className="aspect-square" />
          ))}
        </div>
      ) : shown.length === 0 && !(only && hasNextPage) ? (
        <Empty
          icon={Check}
          title={only ? t('anomalies.noneFlagged') : t('anomalies.none')}
          text={only ? t('anomalies.noneFlaggedHint') : t('anomalies.noneHint')}
        />
      ) : (
        <Tiles<Odd>
          label={t('anomalies.odd')}
          items={shown}
          total={Math.max(total, shown.length)}
          idOf={(one) => one.id}
          nameOf={(one) => {
            const word = verdicts.get(keyOf(one.id));
            const name = t(one.p_value <= alpha ? 'anomalies.nameFlagged' : 'anomalies.name', {
              name: pictureName(one),
              score: number(one.score, { maximumFractionDigits: 2 }),
            });
            return word === 'normal' || word === 'anomaly' ? `${name}, ${t(`anomalies.is.${word}`)}` : name;
          }}
          picture={(one, lit) => (
            <span
              className="absolute inset-0"
              onPointerEnter={() => setHovered(one.id)}
              onPointerLeave={() => setHovered(0)}
            >
              <Thumb src={one.preview_url} alt="" className="size-full" />
              {(heat || hovered === one.id || (lit && hovered === 0 && active > 0)) && (
                <Heat key={one.id} id={one.id} normals={normals} name={pictureName(one)} />
              )}
              {one.p_value <= alpha && (
                <span className="absolute top-2 right-2 rounded-full bg-danger p-1 text-surface shadow">
                  <Flag size={14} aria-hidden />
                </span>
              )}
              <VerdictMark word={verdicts.get(keyOf(one.id))} />
            </span>
          )}
          caption={(one) => (
            <p className="flex justify-between gap-2 py-1 tabular-nums">
              <span className={cx(one.p_value <= alpha && 'font-semibold text-danger')}>
                {number(one.score, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
              </span>
              <span className="text-muted" title={t('anomalies.pHint')}>
                {t('anomalies.p', { p: number(one.p_value, { maximumSignificantDigits: 2 }) })}
              </span>
            </p>
          )}
          captionHeight={28}
          active={here}
          onActive={setActive}
          onOpen={show}
          onNear={near}
          selection={selection}
          onSelection={setSelection}
        />
      )}
      {may && first && shown.length > 0 && (
        <footer className="flex flex-wrap items-center gap-2 border-t border-line bg-surface px-4 py-2 md:px-6">
          <p
            className={cx('mr-auto min-w-0 truncate', selection.size === 0 && 'max-sm:sr-only')}
            role="status"
          >
            {selection.size > 0
              ? t('anomalies.chosen', { n: selection.size })
              : current
                ? pictureName(current)
                : ''}
          </p>
          {selection.size > 0 && (
            <>
              <Button onClick={() => setDialog('as')}>{t('anomalies.useAsNormals')}</Button>
              <IconButton
                icon={X}
                label={t('anomalies.clear')}
                onClick={() => setSelection(new Selection())}
              />
            </>
          )}
          <Button icon={CircleCheck} aria-keyshortcuts="n" onClick={() => decide('normal')}>
            {t('anomalies.normal')}
            <Keycap>N</Keycap>
          </Button>
          <Button icon={TriangleAlert} aria-keyshortcuts="a" onClick={() => decide('anomaly')}>
            {t('anomalies.anomaly')}
            <Keycap>A</Keycap>
          </Button>
          <Button aria-keyshortcuts="z" onClick={() => undo()}>
            {t('app.undo')}
            <Keycap>Z</Keycap>
          </Button>
        </footer>
      )}
      {dialog === 'normals' && (
        <Normals
          value={normals}
          onChoose={(next) => {
            setDialog(null);
            setUrl({ normals: next || undefined });
          }}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog === 'as' && (
        <AsNormals
          n={selection.size}
          onTag={(tag) => asNormals.mutate(tag)}
          onClose={() => setDialog(null)}
        />
      )}
      {open > 0 && (
        <Viewer
          id={open}
          onClose={() => setUrl({ picture: undefined })}
          onOpen={(id) => setUrl({ picture: String(id) }, true)}
          onStep={(by) => show(shown.findIndex((one) => one.id === open) + by)}
        />
      )}
    </>
  );
}
