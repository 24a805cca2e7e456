/* Two pictures held against each other: side by side, wiped, laid over one another, or where they differ. They move
 * and grow together. */
import type { components } from '@magpie/client';
import { useQuery } from '@tanstack/react-query';
import { ZoomIn, ZoomOut } from 'lucide-react';
import { useRef, useState, type PointerEvent, type ReactNode } from 'react';
import { useShortcuts } from '@/app/keys';
import { magpie } from '@/app/session';
import { number, t } from '@/text';
import { IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { keepArrows } from '@/ui/keepArrows';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import type { Member } from './decide';
import { useAligned, type View } from './useAligned';
import { useDifference } from './useDifference';

export const MODES = ['side', 'swipe', 'onion', 'difference'] as const;
export type Mode = (typeof MODES)[number];
type Image = components['schemas']['Image'];

/** What browsers show of the picture itself; of others the service's large thumbnail has to do. */
const SHOWN = new Set(['jpeg', 'png', 'webp', 'gif', 'avif']);

export const nameOf = ({ id, payload }: Member): string =>
  'name' in payload ? payload.title || payload.name : String(id);

function useImage(id: number) {
  return useQuery({
    queryKey: ['image', id],
    queryFn: ({ signal }) => magpie.json<Image>('GET', `/api/images/${id}`, { signal }),
    staleTime: 10 * 60_000,
  }).data;
}

/** The thumbnail at once, and the picture itself over it. */
function Layer({
  member,
  view,
  className,
  style,
}: {
  member: Member;
  view: View;
  className?: string;
  style?: React.CSSProperties;
}) {
  const image = useImage(member.id);
  const [sharp, setSharp] = useState(0);
  const full = image !== undefined && SHOWN.has(image.format);
  return (
    <div className={cx('pointer-events-none absolute inset-0 overflow-hidden', className)} style={style}>
      <div
        className="absolute inset-1"
        style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      >
        <img
          key={member.id}
          src={`${member.preview_url}&size=1024`}
          alt={nameOf(member)}
          draggable={false}
          className="absolute inset-0 size-full object-contain"
        />
        {full && (
          <img
            key={`full ${member.id}`}
            src={image.content_url}
            alt=""
            draggable={false}
            onLoad={() => setSharp(member.id)}
            className={cx('absolute inset-0 size-full object-contain', sharp !== member.id && 'opacity-0')}
          />
        )}
      </div>
    </div>
  );
}

function Label({ children, end }: { children: ReactNode; end?: boolean }) {
  return (
    <span
      className={cx(
        'pointer-events-none absolute top-2 z-10 max-w-[45%] truncate rounded-md bg-surface px-2 py-0.5 shadow',
        end ? 'right-2' : 'left-2',
      )}
    >
      {children}
    </span>
  );
}

function Pane({ children, view, className }: { children: ReactNode; view: View; className?: string }) {
  return (
    <div
      data-pane
      className={cx(
        'relative min-h-0 min-w-0 flex-1 touch-none overflow-hidden bg-sunken select-none',
        view.scale > 1 ? 'cursor-grab active:cursor-grabbing' : 'cursor-zoom-in',
        className,
      )}
    >
      {children}
    </div>
  );
}

/** The line that is dragged over the pictures; for keys it is a slider. */
function Divider({ at, onChange }: { at: number; onChange: (at: number) => void }) {
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (box) onChange(Math.max(0, Math.min(100, ((event.clientX - box.left) / box.width) * 100)));
    event.stopPropagation();
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={t('duplicates.mode.swipe')}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(at)}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={drag}
      onDoubleClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -2, ArrowRight: 2, Home: -100, End: 100 }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        onChange(Math.max(0, Math.min(100, at + by)));
      }}
      className="absolute inset-y-0 z-10 -ml-3 flex w-6 cursor-ew-resize touch-none items-center justify-center pointer-coarse:-ml-5.5 pointer-coarse:w-11"
      style={{ left: `${at}%` }}
    >
      <span className="h-full w-0.5 bg-white shadow-[0_0_0_1px_rgb(0_0_0/0.4)]" />
      <span className="absolute size-6 rounded-full border-2 border-white bg-shade shadow" />
    </div>
  );
}

/** What a view of both shows; below, where it hides the least. */
function Legend({ children }: { children: ReactNode }) {
  return (
    <p className="pointer-events-none absolute bottom-2 left-2 z-10 max-w-[min(60%,26rem)] rounded-md bg-surface px-2 py-0.5 text-sm shadow">
      {children}
    </p>
  );
}

function Difference({ left, right, view }: { left: Member; right: Member; view: View }) {
  const { data: url, error, refetch } = useDifference(left.id, right.id);
  if (error)
    return (
      <div className="p-4">
        <Trouble error={error} onRetry={() => void refetch()} />
      </div>
    );
  if (!url) return <Skeleton className="absolute inset-2" />;
  return (
    <div className="pointer-events-none absolute inset-0 overflow-hidden">
      <img
        src={url}
        alt={t('duplicates.differenceOf', { one: nameOf(left), other: nameOf(right) })}
        draggable={false}
        className="absolute inset-1 h-[calc(100%-0.5rem)] w-[calc(100%-0.5rem)] object-contain"
        style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      />
    </div>
  );
}

const STEP = 60;

export function Compare({ left, right, mode }: { left: Member; right: Member; mode: Mode }) {
  const frame = useRef<HTMLDivElement>(null);
  const { view, zoom, pan, reset, handlers } = useAligned(frame, `${left.id} ${right.id}`);
  const [swipe, setSwipe] = useState(50);
  const [onion, setOnion] = useState(50);
  useShortcuts([
    { keys: '+', label: t('duplicates.zoomIn'), run: () => zoom(1.4) },
    { keys: '-', label: t('duplicates.zoomOut'), run: () => zoom(1 / 1.4) },
    { keys: '0', label: t('duplicates.whole'), run: reset },
    { keys: 'H', run: () => pan(STEP, 0) },
    { keys: 'J', run: () => pan(0, -STEP) },
    { keys: 'K', run: () => pan(0, STEP) },
    { keys: 'L', run: () => pan(-STEP, 0) },
  ]);
  const kept = <Label>{t('duplicates.keep')}</Label>;
  return (
    <div className="relative flex min-h-0 min-w-0 flex-1 flex-col">
      <div ref={frame} {...handlers} className="flex min-h-0 flex-1 gap-1 max-md:portrait:flex-col">
        {mode === 'side' ? (
          <>
            <Pane view={view}>
              <Layer member={left} view={view} />
              {kept}
            </Pane>
            <Pane view={view}>
              <Layer member={right} view={view} />
              <Label>{nameOf(right)}</Label>
            </Pane>
          </>
        ) : mode === 'difference' ? (
          <Pane view={view}>
            <Difference left={left} right={right} view={view} />
            <Legend>{t('duplicates.differenceMarks')}</Legend>
          </Pane>
        ) : (
          <Pane view={view}>
            <Layer member={left} view={view} />
            <Layer
              member={right}
              view={view}
              className={cx(mode === 'swipe' && 'bg-sunken')}
              style={mode === 'swipe' ? { clipPath: `inset(0 0 0 ${swipe}%)` } : { opacity: onion / 100 }}
            />
            {kept}
            <Label end>{nameOf(right)}</Label>
            {mode === 'swipe' && <Divider at={swipe} onChange={setSwipe} />}
          </Pane>
        )}
      </div>
      {mode === 'onion' && (
        <label className="absolute bottom-2 left-2 z-10 flex items-center gap-2 rounded-md border border-line bg-surface px-3 py-1">
          <span className="max-sm:sr-only">{t('duplicates.opacity')}</span>
          <input
            type="range"
            min={0}
            max={100}
            value={onion}
            onChange={(event) => setOnion(Number(event.target.value))}
            onKeyDown={keepArrows}
            className="h-7 w-32 md:w-48"
          />
        </label>
      )}
      <div className="absolute right-2 bottom-2 z-10 flex items-center rounded-md border border-line bg-surface">
        <IconButton
          icon={ZoomOut}
          label={t('duplicates.zoomOut')}
          disabled={view.scale === 1}
          onClick={() => zoom(1 / 1.4)}
        />
        <button
          type="button"
          onClick={reset}
          className="min-h-9 min-w-14 rounded-md"
          title={t('duplicates.whole')}
        >
          {number(view.scale, { style: 'percent' })}
        </button>
        <IconButton icon={ZoomIn} label={t('duplicates.zoomIn')} onClick={() => zoom(1.4)} />
      </div>
    </div>
  );
}
