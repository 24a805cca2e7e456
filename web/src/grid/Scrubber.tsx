import { useRef, useState } from 'react';
import { date, t } from '@/text';
import { cx } from '@/ui/cx';
import { sectionAt, type Section } from './sections';

export function monthName(month: string): string {
  return date(`${month}-01T00:00:00Z`, { month: 'long', year: 'numeric', timeZone: 'UTC' });
}

/** Beside the grid: where in time one is. Dragging it jumps there; with the keyboard, month by month. */
export function Scrubber({
  sections,
  tops,
  at,
  view,
  onJump,
}: {
  sections: readonly Section[];
  tops: Float64Array;
  at: number;
  view: number;
  onJump: (at: number) => void;
}) {
  const track = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState(false);
  const content = Math.max(1, tops[sections.length] ?? 1);
  const heads = sections.filter((section) => section.heading);
  const here = sections[sectionAt(tops, at)];
  if (!here || heads.length === 0 || content <= view) return null;
  const month = heads.findLast((head) => head.at <= here.at) ?? heads[0];
  const share = (y: number) => Math.min(1, Math.max(0, y / (content - view)));
  const jump = (clientY: number) => {
    const box = track.current?.getBoundingClientRect();
    if (box) onJump(Math.min(1, Math.max(0, (clientY - box.top) / box.height)) * (content - view));
  };
  // One label per year, where there is room for it.
  const years: { year: string; y: number }[] = [];
  for (const head of heads) {
    const year = head.segment.month.slice(0, -3);
    const y = share(tops[head.at] ?? 0);
    const last = years.at(-1);
    if (last?.year !== year && (!last || y - last.y > 0.04)) years.push({ year, y });
  }
  const step = (by: number) => {
    const next = heads[heads.findIndex((head) => head === month) + by];
    if (next) onJump(tops[next.at] ?? 0);
  };
  return (
    <div
      ref={track}
      role="slider"
      tabIndex={0}
      aria-label={t('grid.scrubber')}
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share(at) * 100)}
      aria-valuetext={monthName(here.segment.month)}
      onKeyDown={(event) => {
        const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (by) step(by);
        else if (event.key === 'Home') onJump(0);
        else if (event.key === 'End') onJump(content);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setHeld(true);
        jump(event.clientY);
      }}
      onPointerMove={(event) => held && jump(event.clientY)}
      onPointerUp={() => setHeld(false)}
      onPointerCancel={() => setHeld(false)}
      className="group/scrub relative my-3 w-12 shrink-0 touch-none select-none max-md:hidden"
    >
      {years.map(({ year, y }) => (
        <span
          key={year}
          style={{ top: `${y * 100}%` }}
          className="absolute right-4 -translate-y-1/2 text-xs text-muted"
        >
          {year}
        </span>
      ))}
      <span
        style={{ top: `${share(at) * 100}%` }}
        className="absolute right-0 h-1 w-3 -translate-y-1/2 rounded-full bg-accent"
      >
        <span
          className={cx(
            'absolute right-full mr-2 -translate-y-1/2 rounded-md bg-text px-2 py-1 text-xs whitespace-nowrap text-bg',
            !held && 'hidden group-hover/scrub:block group-focus-visible/scrub:block',
          )}
        >
          {monthName(here.segment.month)}
        </span>
      </span>
    </div>
  );
}
