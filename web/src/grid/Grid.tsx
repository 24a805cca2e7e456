/* A wall of pictures, as long as the library: only what is near the view is in the page.
 *
 * The content is a column of sections (sections.ts), each a few hundred pictures in rows (justify.ts). Heights of
 * sections are estimates until their pictures are known; then what is seen stays where it is (`anchor`). */
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
} from 'react';
import { useShortcuts } from '@/app/keys';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import { GAP, justify, ratioOf, type Box, type Layout } from './justify';
import { Mark, Thumb } from './Picture';
import { monthName, Scrubber } from './Scrubber';
import { ScrollMap } from './scroll';
import { HEADING, sectionAt, sectionsOf, topsOf, type Section, type Segment } from './sections';
import { Selection } from './select';
import { useBand } from './useBand';
import { useCells, useLoadCells, type Cell, type ListQuery } from './useCells';

const OVERSCAN = 500;
const MOST_RANGE = 10_000;
const PADDING = 12;

export interface GridProps {
  segments: readonly Segment[];
  query: ListQuery;
  /** The wanted height of a row. */
  wanted: number;
  selection: Selection;
  onSelection: (selection: Selection) => void;
  onOpen: (id: number, at: number) => void;
  /** A range was longer than anybody means. */
  onTooMany: () => void;
  /** Not shown: about to be deleted. */
  hidden: ReadonlySet<number>;
  /** A month to go to; a new object goes there again. */
  target?: { month: string } | null;
}

interface Placed {
  section: Section;
  cells: readonly Cell[];
  layout: Layout;
  top: number;
}

function useSize(element: React.RefObject<HTMLElement | null>) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const target = element.current;
    if (!target) return;
    const read = () => setSize({ width: target.clientWidth - 2 * PADDING, height: target.clientHeight });
    const observer = new ResizeObserver(read);
    observer.observe(target);
    read();
    return () => observer.disconnect();
  }, [element]);
  return size;
}

const NONE: readonly Cell[] = [];

export function Grid({
  segments,
  query,
  wanted,
  selection,
  onSelection,
  onOpen,
  onTooMany,
  hidden,
  target = null,
}: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { width, height: view } = useSize(scroller);
  const sections = useMemo(() => sectionsOf(segments), [segments]);
  const [known, setKnown] = useState<ReadonlyMap<number, number>>(new Map());
  const tops = useMemo(() => topsOf(sections, known, width, wanted), [sections, known, width, wanted]);
  const content = tops[sections.length] ?? 0;
  const map = useRef(new ScrollMap());
  const [{ at, offset, height }, setPlace] = useState({ at: 0, offset: 0, height: 0 });
  const anchor = useRef({ section: 0, into: 0 });
  const [active, setActive] = useState(0);
  const total = (sections.at(-1)?.first ?? 0) + (sections.at(-1)?.segment.count ?? 0);

  const show = useCallback((top: number) => {
    const element = scroller.current;
    if (element && element.scrollTop !== top) element.scrollTop = top;
    setPlace({ at: map.current.at, offset: map.current.offset, height: map.current.height });
  }, []);

  const remember = useCallback(() => {
    const section = sectionAt(tops, map.current.at);
    anchor.current = { section, into: map.current.at - (tops[section] ?? 0) };
  }, [tops]);

  // What is seen stays, whatever became known above it.
  useLayoutEffect(() => {
    if (width <= 0) return;
    map.current.resize(content, view);
    const { section, into } = anchor.current;
    show(map.current.go((tops[Math.min(section, Math.max(0, sections.length - 1))] ?? 0) + into));
  }, [content, view, width, tops, sections, show]);

  const jump = useCallback(
    (to: number) => {
      show(map.current.go(to));
      remember();
    },
    [remember, show],
  );

  const toMonth = useRef<((month: string) => void) | null>(null);
  useEffect(() => {
    toMonth.current = (month) => {
      const section = sections.find((one) => one.segment.month === month);
      if (!section) return;
      jump(tops[section.at] ?? 0);
      setActive(section.first);
    };
  });
  useEffect(() => {
    if (!target) return;
    toMonth.current?.(target.month);
    scroller.current?.focus({ preventScroll: true });
  }, [target]);

  // ---- what is near the view ----

  const first = sectionAt(tops, at - OVERSCAN);
  const last = sectionAt(tops, at + view + OVERSCAN);
  const shown = useMemo(
    () => (width > 0 ? sections.slice(first, last + 1) : []),
    [sections, first, last, width],
  );
  const loaded = useCells(query, shown);
  const placed: Placed[] = useMemo(
    () =>
      shown.map((section, i) => {
        const cells = loaded[i]?.filter((cell) => !hidden.has(cell.id)) ?? NONE;
        const ratios = cells.map((cell) => ratioOf(cell.width, cell.height));
        const layout = justify(ratios, width, wanted, section.goesOn);
        return { section, cells, layout, top: (tops[section.at] ?? 0) + (section.heading ? HEADING : 0) };
      }),
    [shown, loaded, hidden, width, wanted, tops],
  );

  // Heights that became known; all of them anew where the width is another.
  const shape = `${width} ${wanted}`;
  const knownFor = useRef(shape);
  useLayoutEffect(() => {
    const fresh = knownFor.current !== shape;
    const now = placed.filter(
      ({ section }, i) => loaded[i] && (fresh || known.get(section.at) !== placed[i]?.layout.height),
    );
    if (!fresh && now.length === 0) return;
    knownFor.current = shape;
    setKnown(
      new Map([
        ...(fresh ? [] : known),
        ...now.map(({ section, layout }) => [section.at, layout.height] as const),
      ]),
    );
  }, [placed, loaded, known, shape]);

  // ---- choosing ----

  const load = useLoadCells(query);
  const range = useCallback(
    async (from: number, to: number) => {
      const [low, high] = from < to ? [from, to] : [to, from];
      if (high - low >= MOST_RANGE) {
        onTooMany();
        return [];
      }
      const inside = sections.filter((one) => one.first <= high && one.first + one.segment.count > low);
      const all = await Promise.all(inside.map((section) => load(section)));
      return all.flatMap((cells, i) =>
        cells
          .filter((_, j) => (inside[i]?.first ?? 0) + j >= low && (inside[i]?.first ?? 0) + j <= high)
          .map((cell) => cell.id),
      );
    },
    [load, onTooMany, sections],
  );
  const extendTo = (to: number) => {
    const from = selection.anchor ?? active;
    void range(from, to).then((ids) => onSelection(selection.add(ids, from)));
  };

  const place = useCallback(
    (clientX: number, clientY: number) => {
      const box = scroller.current?.getBoundingClientRect();
      return { x: clientX - (box?.left ?? 0) - PADDING, y: clientY - (box?.top ?? 0) + at };
    },
    [at],
  );
  const suppressClick = useRef(false);
  const before = useRef<Selection | null>(null);
  const onBand = (band: Box, extend: boolean, done: boolean) => {
    before.current ??= extend ? selection : new Selection();
    const hits = placed.flatMap(({ cells, layout, top }) =>
      cells.filter((_, i) => {
        const box = layout.boxes[i];
        return (
          box !== undefined &&
          box.x < band.x + band.width &&
          box.x + box.width > band.x &&
          box.y + top < band.y + band.height &&
          box.y + top + box.height > band.y
        );
      }),
    );
    onSelection(before.current.add(hits.map((cell) => cell.id)));
    // Chosen ones that scrolled out of the page on the way stay chosen.
    before.current = done ? null : extend ? before.current.add(hits.map((cell) => cell.id)) : before.current;
  };
  const { band, handlers } = useBand(place, scroller, onBand, suppressClick);

  const indexOf = (id: number): number => {
    for (const { section, cells } of placed) {
      const i = cells.findIndex((cell) => cell.id === id);
      if (i >= 0) return section.first + i;
    }
    return -1;
  };
  const cellAt = (index: number): Cell | undefined => {
    for (const { section, cells } of placed)
      if (index >= section.first && index < section.first + cells.length) return cells[index - section.first];
    return undefined;
  };

  const onClick = (event: React.MouseEvent) => {
    if (suppressClick.current) {
      suppressClick.current = false;
      return;
    }
    const target = event.target as HTMLElement;
    const option = target.closest<HTMLElement>('[data-id]');
    if (!option) {
      if (selection.size) onSelection(new Selection());
      return;
    }
    const id = Number(option.dataset['id']);
    const index = indexOf(id);
    setActive(index);
    if (event.shiftKey) extendTo(index);
    else if (
      event.ctrlKey ||
      event.metaKey ||
      target.closest('[data-mark]') ||
      (selection.size && touched.current)
    )
      onSelection(selection.toggle(id, index));
    else onOpen(id, index);
  };

  // A long touch chooses, as it does elsewhere on phones.
  const touched = useRef(false);
  const pressing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const onTouchStart = (event: React.TouchEvent) => {
    touched.current = true;
    const id = Number((event.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset['id']);
    if (!id) return;
    pressing.current = setTimeout(() => {
      suppressClick.current = true;
      onSelection(selection.toggle(id, indexOf(id)));
    }, 450);
  };
  const stopPress = () => clearTimeout(pressing.current);

  // ---- keys ----

  /** The picture above or below, by where it stands. */
  const vertical = (by: 1 | -1): number => {
    const spots = placed.flatMap(({ section, layout, top }) =>
      layout.boxes.map((box, i) => ({ index: section.first + i, x: box.x + box.width / 2, y: box.y + top })),
    );
    const here = spots.find((spot) => spot.index === active);
    if (!here) return active;
    const rows = spots.filter((spot) => (by > 0 ? spot.y > here.y + 1 : spot.y < here.y - 1));
    const y = by > 0 ? Math.min(...rows.map((spot) => spot.y)) : Math.max(...rows.map((spot) => spot.y));
    const row = rows.filter((spot) => Math.abs(spot.y - y) < 1);
    return row.reduce(
      (best, spot) => (Math.abs(spot.x - here.x) < Math.abs(best.x - here.x) ? spot : best),
      row[0] ?? here,
    ).index;
  };
  const move = (to: number, extend: boolean) => {
    const next = Math.min(total - 1, Math.max(0, to));
    if (extend) extendTo(next);
    setActive(next);
    reveal(next);
  };
  const reveal = (index: number) => {
    const section = sections.findLast((one) => one.first <= index);
    if (!section) return;
    const box = placed.find((one) => one.section === section)?.layout.boxes[index - section.first];
    const head = section.heading ? HEADING : 0;
    const top = (tops[section.at] ?? 0) + head + (box?.y ?? 0);
    const bottom = top + (box?.height ?? wanted);
    if (top - HEADING < at) jump(top - HEADING);
    else if (bottom + GAP > at + view) jump(bottom + GAP - view);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const go: Record<string, () => number> = {
      ArrowRight: () => active + 1,
      ArrowLeft: () => active - 1,
      ArrowDown: () => vertical(1),
      ArrowUp: () => vertical(-1),
      Home: () => 0,
      End: () => total - 1,
    };
    const cell = cellAt(active);
    if (go[event.key]) move(go[event.key]?.() ?? active, event.shiftKey);
    else if (event.key === 'PageDown') jump(at + view - HEADING);
    else if (event.key === 'PageUp') jump(at - view + HEADING);
    else if (event.key === ' ' && cell) onSelection(selection.toggle(cell.id, active));
    else if (event.key === 'Enter' && cell) onOpen(cell.id, active);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  useShortcuts(
    [{ keys: 'Escape', label: t('grid.clear'), run: () => onSelection(new Selection()) }],
    selection.size > 0,
  );

  useEffect(() => {
    scroller.current?.focus({ preventScroll: true });
  }, []);

  const chosen = cellAt(active);
  return (
    <div className="flex h-full min-h-0">
      <div
        ref={scroller}
        role="listbox"
        aria-multiselectable="true"
        aria-label={t('grid.label', { n: total })}
        aria-activedescendant={chosen ? `picture-${chosen.id}` : undefined}
        aria-busy={placed.some(({ cells }) => cells.length === 0)}
        tabIndex={0}
        {...handlers}
        onClick={onClick}
        onKeyDown={onKeyDown}
        onTouchStart={onTouchStart}
        onTouchEnd={stopPress}
        onTouchMove={stopPress}
        onScroll={(event) => {
          show(map.current.moved(event.currentTarget.scrollTop));
          remember();
        }}
        className="group/list relative min-w-0 flex-1 overflow-x-hidden overflow-y-auto outline-none select-none"
      >
        <div role="presentation" className="relative" style={{ height: Math.max(height, 1) }}>
          {placed.map((one) => (
            <SectionView
              key={one.section.at}
              placed={one}
              from={at - OVERSCAN}
              to={at + view + OVERSCAN}
              offset={offset}
              width={width}
              height={(tops[one.section.at + 1] ?? 0) - one.top}
              selection={selection}
              active={chosen?.id}
            />
          ))}
          {band && (
            <div
              aria-hidden
              className="pointer-events-none absolute z-20 border border-accent bg-accent/20"
              style={{
                transform: `translate(${band.x + PADDING}px, ${band.y - offset}px)`,
                width: band.width,
                height: band.height,
              }}
            />
          )}
        </div>
      </div>
      <Scrubber sections={sections} tops={tops} at={at} view={view} onJump={jump} />
    </div>
  );
}

function SectionView({
  placed: { section, cells, layout, top },
  from,
  to,
  offset,
  width,
  height,
  selection,
  active,
}: {
  placed: Placed;
  from: number;
  to: number;
  offset: number;
  width: number;
  height: number;
  selection: Selection;
  active: number | undefined;
}) {
  return (
    <>
      {section.heading && (
        <div
          role="presentation"
          className="absolute flex items-end pb-2 font-medium"
          style={{
            transform: `translate(${PADDING}px, ${top - HEADING - offset}px)`,
            height: HEADING,
            width,
          }}
        >
          {monthName(section.segment.month)}
        </div>
      )}
      {cells.length === 0 && section.segment.count > 0 && (
        <div
          aria-hidden
          className="absolute animate-pulse rounded-md bg-sunken"
          style={{
            transform: `translate(${PADDING}px, ${top - offset}px)`,
            width,
            height: Math.max(0, height - GAP),
          }}
        />
      )}
      {cells.map((cell, i) => {
        const box = layout.boxes[i];
        if (!box || top + box.y + box.height < from || top + box.y > to) return null;
        const on = selection.has(cell.id);
        return (
          <div
            key={cell.id}
            id={`picture-${cell.id}`}
            role="option"
            aria-selected={on}
            aria-setsize={-1}
            aria-posinset={section.first + i + 1}
            data-id={cell.id}
            className={cx(
              'group absolute cursor-pointer overflow-hidden',
              on && 'outline-3 -outline-offset-3 outline-accent',
              active === cell.id &&
                'group-focus-visible/list:outline-3 group-focus-visible/list:-outline-offset-3 group-focus-visible/list:outline-accent',
            )}
            style={{
              transform: `translate(${box.x + PADDING}px, ${top + box.y - offset}px)`,
              width: box.width,
              height: box.height,
            }}
          >
            <Thumb
              src={cell.preview_url}
              alt={cell.name || number(cell.id)}
              className={cx('size-full', on && 'p-2')}
            />
            <Mark chosen={on} shown={selection.size > 0} />
          </div>
        );
      })}
    </>
  );
}
