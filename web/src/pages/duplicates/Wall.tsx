/* The clusters below one another, pictures first. Only those in sight are there; more are fetched as one comes near. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { Ban, Check, GitCompare } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useShortcuts } from '@/app/keys';
import { mayWrite, useUser } from '@/app/session';
import { useWidth } from '@/lib/useWidth';
import { bytes, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Skeleton } from '@/ui/Skeleton';
import { nameOf } from './Compare';
import { goes, savedBy, type Cluster, type Decision, type Member } from './decide';
import type { Decide } from './useDecide';
import { why } from './why';

const HEIGHT = 184;
const LEAST_WIDTH = 520;
const SHOWN = 12;

function Tile({ member, decision, onOpen }: { member: Member; decision: Decision; onOpen: () => void }) {
  const kept = member.id === decision.keep;
  const stays = decision.stay.includes(member.id);
  const what = kept ? t('duplicates.keep') : stays ? t('duplicates.stays') : t('duplicates.goes');
  const ratio = Math.min(2.2, Math.max(0.6, member.width / Math.max(1, member.height)));
  return (
    <button
      type="button"
      tabIndex={-1}
      onClick={onOpen}
      title={`${nameOf(member)} · ${member.width} × ${member.height} · ${why(member.reason)}`}
      className="group flex w-min shrink-0 flex-col gap-1 rounded-md text-left"
    >
      <span
        className={cx(
          'relative block h-30 overflow-hidden rounded-md bg-sunken',
          kept && 'ring-2 ring-accent ring-offset-2 ring-offset-bg',
        )}
        style={{ width: `${7.5 * ratio}rem` }}
      >
        <img
          src={member.preview_url}
          alt={`${nameOf(member)}, ${what}`}
          loading="lazy"
          decoding="async"
          draggable={false}
          className={cx('size-full object-cover', !kept && !stays && 'opacity-55 group-hover:opacity-100')}
        />
      </span>
      <span className={cx('block truncate text-xs', kept ? 'font-medium' : 'text-muted')}>
        {kept ? `${t('duplicates.keep')} · ${member.width} × ${member.height}` : why(member.reason)}
      </span>
    </button>
  );
}

function Row({
  cluster,
  decide,
  active,
  onOpen,
  onActive,
}: {
  cluster: Cluster;
  decide: Decide;
  active: boolean;
  onOpen: (id?: number) => void;
  onActive: () => void;
}) {
  const may = mayWrite(useUser());
  const decision = decide.of(cluster);
  const { state } = decision;
  const kept = cluster.members.find((one) => one.id === decision.keep);
  const list = [...(kept ? [kept] : []), ...cluster.members.filter((one) => one !== kept)];
  const going = goes(cluster, decision).length;
  const score = number(cluster.weakest.score, { style: 'percent' });
  return (
    <div
      onFocus={onActive}
      className={cx(
        'flex h-42 items-start gap-4 rounded-md border p-3 max-md:gap-2',
        active ? 'border-accent bg-surface' : 'border-line',
        state === 'left' && 'opacity-60',
      )}
    >
      <div className="flex min-w-0 flex-1 gap-3 overflow-hidden p-1">
        {list.slice(0, SHOWN).map((member) => (
          <Tile key={member.id} member={member} decision={decision} onOpen={() => onOpen(member.id)} />
        ))}
      </div>
      <div className="flex h-full w-36 shrink-0 flex-col gap-1 max-md:w-24">
        <p className="font-medium">{t('duplicates.pictureCount', { n: cluster.members.length })}</p>
        <p className="text-muted max-md:text-xs">
          {going
            ? t('duplicates.saves', { bytes: bytes(savedBy(cluster, decision)) })
            : t('duplicates.savesNone')}
        </p>
        <p className="text-muted max-md:hidden" title={t('duplicates.weakestHint')}>
          {t('duplicates.weakest', { score })}
        </p>
        <div className="mt-auto flex flex-wrap gap-1">
          {may && (
            <>
              <Button
                icon={Check}
                aria-pressed={state === 'accepted'}
                aria-label={t('duplicates.accept')}
                title={`${t('duplicates.accept')} (A)`}
                onClick={() => decide.accept(cluster)}
                className={cx('px-2!', state === 'accepted' && 'border-accent bg-accent-soft')}
              />
              <Button
                icon={Ban}
                aria-pressed={state === 'left'}
                aria-label={t('duplicates.leave')}
                title={`${t('duplicates.leave')} (X)`}
                onClick={() => decide.leave(cluster)}
                className={cx('px-2! max-md:hidden', state === 'left' && 'border-accent bg-accent-soft')}
              />
            </>
          )}
          <Button
            icon={GitCompare}
            aria-label={t('duplicates.compare')}
            title={`${t('duplicates.compare')} (Enter)`}
            onClick={() => onOpen()}
            className="px-2!"
          />
        </div>
      </div>
    </div>
  );
}

export interface WallProps {
  clusters: readonly Cluster[];
  total: number;
  decide: Decide;
  active: number;
  onActive: (index: number) => void;
  onOpen: (cluster: Cluster, member?: number) => void;
  onNear: () => void;
}

export function Wall({ clusters, total, decide, active, onActive, onOpen, onNear }: WallProps) {
  const frame = useRef<HTMLDivElement>(null);
  const may = mayWrite(useUser());
  const columns = Math.max(1, Math.floor(useWidth(frame) / LEAST_WIDTH));
  // Where more are on their way, a row is kept free for them.
  const count = Math.ceil(clusters.length / columns) + (total > clusters.length ? 1 : 0);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => frame.current,
    estimateSize: () => HEIGHT,
    overscan: 4,
    paddingStart: 8,
    paddingEnd: 16,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if ((last + 1) * columns >= clusters.length) onNear();
  }, [last, columns, clusters.length, onNear]);
  const first = useRef(true);
  useEffect(() => {
    rows.scrollToIndex(Math.floor(active / columns), { align: first.current ? 'center' : 'auto' });
    first.current = false;
  }, [active, columns, rows]);
  const current = clusters[active];
  const go = (by: number) => onActive(Math.max(0, Math.min(clusters.length - 1, active + by)));
  const writes =
    (run: (cluster: Cluster) => void, by = 0) =>
    () => {
      if (!may || !current) return;
      run(current);
      if (by) go(by);
    };
  useShortcuts([
    { keys: 'j', label: t('duplicates.next'), run: () => go(1) },
    { keys: 'k', label: t('duplicates.previous'), run: () => go(-1) },
    { keys: 'ArrowRight', run: () => go(1) },
    { keys: 'ArrowLeft', run: () => go(-1) },
    { keys: 'ArrowDown', run: () => go(columns) },
    { keys: 'ArrowUp', run: () => go(-columns) },
    { keys: 'PageDown', run: () => go(4 * columns) },
    { keys: 'PageUp', run: () => go(-4 * columns) },
    { keys: 'Home', run: () => go(-clusters.length) },
    { keys: 'End', run: () => go(clusters.length) },
    { keys: 'o', label: t('duplicates.compare'), run: () => current && onOpen(current) },
    { keys: 'a', label: t('duplicates.accept'), run: writes(decide.accept, 1) },
    { keys: 'x', label: t('duplicates.leave'), run: writes(decide.leave, 1) },
    { keys: 'z', label: t('app.undo'), run: () => decide.undo() },
    { keys: 'ctrl+z', run: () => decide.undo() },
  ]);
  return (
    <div
      ref={frame}
      tabIndex={0}
      role="region"
      aria-label={t('duplicates.list')}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && event.target === event.currentTarget && current) onOpen(current);
      }}
      className="min-h-0 flex-1 overflow-auto px-3 -outline-offset-2 md:px-5"
    >
      <ol className="relative" style={{ height: rows.getTotalSize() }}>
        {items.flatMap((item) =>
          Array.from({ length: columns }, (_, column) => {
            const at = item.index * columns + column;
            const cluster = clusters[at];
            if (!cluster && at >= total) return null;
            return (
              <li
                key={at}
                aria-setsize={total}
                aria-posinset={at + 1}
                className="absolute top-0 px-1"
                style={{
                  height: item.size,
                  left: `${(column / columns) * 100}%`,
                  width: `${100 / columns}%`,
                  transform: `translateY(${item.start}px)`,
                }}
              >
                {cluster ? (
                  <Row
                    cluster={cluster}
                    decide={decide}
                    active={at === active}
                    onActive={() => onActive(at)}
                    onOpen={(id) => onOpen(cluster, id)}
                  />
                ) : (
                  <Skeleton className="h-42" />
                )}
              </li>
            );
          }),
        )}
      </ol>
    </div>
  );
}
