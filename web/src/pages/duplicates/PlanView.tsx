/* A plan before it is carried out, while it is, and afterwards: what is kept, what goes, what that saves. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowLeft, ArrowRight, Trash2, Undo2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { mayWrite, useUser } from '@/app/session';
import { bytes, t } from '@/text';
import { useWidth } from '@/lib/useWidth';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Meter } from '@/ui/Meter';
import { useTitle } from '@/ui/Page';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { isMoving, useDrop, useMove, usePlan, usePlanState, type PlanPicture, type WholePlan } from './plans';
import { why } from './why';

function Picture({ picture, goes }: { picture: PlanPicture; goes: boolean }) {
  const what = goes ? t('duplicates.goes') : t('duplicates.keep');
  return (
    <figure className="w-24 shrink-0">
      <img
        src={picture.preview_url}
        alt={`${picture.id}, ${what}`}
        loading="lazy"
        decoding="async"
        className={cx(
          'h-20 w-24 rounded-md bg-sunken object-cover',
          goes ? 'opacity-55' : 'ring-2 ring-accent ring-offset-2 ring-offset-bg',
        )}
      />
      <figcaption className="mt-1 truncate text-xs text-muted" title={why(picture.reason)}>
        {bytes(picture.bytes)}
        <span className="sr-only">, {what}</span>
      </figcaption>
    </figure>
  );
}

const ROW = 124;
const COLUMN = 420;
const PICTURE = 108;

function Clusters({ plan }: { plan: WholePlan }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const lanes = Math.max(1, Math.floor(width / COLUMN));
  // The last place is for how many more there are.
  const fits = Math.max(1, Math.floor((width / lanes - PICTURE - 100) / PICTURE));
  const rows = useVirtualizer({
    lanes,
    count: plan.clusters.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 6,
    paddingStart: 4,
    paddingEnd: 16,
  });
  useEffect(() => rows.measure(), [lanes, rows]); // it keeps the lanes of before
  return (
    <div
      ref={frame}
      tabIndex={0}
      role="region"
      aria-label={t('duplicates.plan.pictures')}
      className="min-h-0 flex-1 overflow-auto px-4 -outline-offset-2 md:px-6"
    >
      <ol className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const cluster = plan.clusters[item.index];
          return (
            cluster && (
              <li
                key={item.key}
                className="absolute top-0 flex items-center gap-3 overflow-hidden border-b border-line p-1"
                style={{
                  height: item.size,
                  left: `${(item.lane / lanes) * 100}%`,
                  width: `${100 / lanes}%`,
                  transform: `translateY(${item.start}px)`,
                }}
              >
                <Picture picture={cluster.keep} goes={false} />
                <ArrowRight size={18} aria-hidden className="shrink-0 text-muted" />
                {cluster.remove.slice(0, fits).map((one) => (
                  <Picture key={one.id} picture={one} goes />
                ))}
                {cluster.remove.length > fits && (
                  <span className="shrink-0 text-muted">
                    {t('duplicates.more', { n: cluster.remove.length - fits })}
                  </span>
                )}
              </li>
            )
          );
        })}
      </ol>
    </div>
  );
}

function Head({ plan, onClose }: { plan: WholePlan; onClose: () => void }) {
  const may = mayWrite(useUser());
  const move = useMove(plan.plan_id);
  const state = usePlanState(plan.plan_id, move.isPending) ?? plan;
  const drop = useDrop(plan.plan_id, onClose);
  const [report, setReport] = useState(false);
  const removed = plan.clusters.flatMap((cluster) => cluster.remove);
  const size = removed.reduce((sum, one) => sum + one.bytes, 0);
  const busy = move.isPending || isMoving(state);
  const skipped = move.data?.skipped ?? state.skipped;
  const run = (how: 'apply' | 'undo') => {
    setReport(true);
    move.mutate(how);
  };
  return (
    <div className="flex flex-col gap-3 border-b border-line p-4 md:px-6">
      <dl className="flex flex-wrap gap-x-10 gap-y-2">
        {(
          [
            [t('duplicates.plan.kept'), String(plan.clusters.length)],
            [t('duplicates.plan.going'), String(removed.length)],
            [t('duplicates.plan.saved'), bytes(size)],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt className="text-muted">{name}</dt>
            <dd className="text-2xl font-semibold tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <p role="status">
        {t(`duplicates.plan.is.${state.status}`)}
        {skipped > 0 && !busy && ` ${t('duplicates.plan.skipped', { n: skipped })}`}
      </p>
      {busy && (
        <div>
          <Meter label={t(`duplicates.plan.is.${state.status}`)} done={state.done} total={state.steps} />
          {state.steps > 0 && (
            <p className="mt-1 text-muted">
              {t('duplicates.plan.progress', { n: state.done, total: state.steps })}
            </p>
          )}
        </div>
      )}
      {may && (
        <div className="flex flex-wrap gap-2">
          {state.status === 'draft' && (
            <>
              <Button look="primary" icon={Trash2} busy={busy} onClick={() => run('apply')}>
                {t('duplicates.plan.apply', { n: removed.length })}
              </Button>
              <Button disabled={busy} onClick={() => drop.mutate()}>
                {t('duplicates.plan.drop')}
              </Button>
            </>
          )}
          {state.status === 'applied' && (
            <Button icon={Undo2} busy={busy} onClick={() => run('undo')}>
              {t('duplicates.plan.undo')}
            </Button>
          )}
          {!busy && report && state.status !== 'draft' && (
            <Button look="primary" onClick={onClose}>
              {t('duplicates.plan.back')}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

export function PlanView({ id, onClose }: { id: number; onClose: () => void }) {
  const { data: plan, error, refetch } = usePlan(id);
  const title = t('duplicates.plan.title', { id: String(id) });
  useTitle(title);
  return (
    <div className="flex h-full flex-col">
      <div className="flex items-center gap-2 px-2 pt-3 md:px-4">
        <IconButton icon={ArrowLeft} label={t('duplicates.back')} onClick={onClose} />
        <h1 className="text-xl font-semibold">{title}</h1>
      </div>
      {error ? (
        <div className="p-4 md:p-6">
          <Trouble error={error} onRetry={() => void refetch()} />
        </div>
      ) : plan ? (
        <>
          <Head plan={plan} onClose={onClose} />
          <Clusters plan={plan} />
        </>
      ) : (
        <div className="flex flex-col gap-3 p-4 md:p-6">
          <Skeleton className="h-16" />
          <Skeleton className="h-28" />
          <Skeleton className="h-28" />
        </div>
      )}
    </div>
  );
}
