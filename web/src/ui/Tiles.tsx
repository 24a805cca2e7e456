/* A wall of equal tiles, in the order they are given. One is active: arrows move it, Enter opens it, space chooses it.
 * Only those in sight are there. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { Mark } from '@/grid/Picture';
import { Selection } from '@/grid/select';
import { useWidth } from '@/lib/useWidth';
import { cx } from '@/ui/cx';
import { Skeleton } from '@/ui/Skeleton';

export interface TilesProps<T> {
  label: string;
  items: readonly T[];
  /** More than there are: the others are on their way. */
  total: number;
  idOf: (item: T) => number;
  nameOf: (item: T) => string;
  /** The picture and what lies on it. */
  picture: (item: T, lit: boolean) => ReactNode;
  caption: (item: T) => ReactNode;
  captionHeight: number;
  active: number;
  onActive: (index: number) => void;
  onOpen: (index: number) => void;
  onNear: () => void;
  selection?: Selection;
  onSelection?: (selection: Selection) => void;
}

const LEAST = 170;
const GAP = 12;
const PADDING = 24;

function One<T>({ item, at, size, props }: { item: T; at: number; size: number; props: TilesProps<T> }) {
  const { idOf, nameOf, picture, caption, active, onActive, onOpen, selection, onSelection } = props;
  const id = idOf(item);
  const chosen = selection?.has(id) ?? false;
  const choose = (event: { shiftKey: boolean }) => {
    if (!selection || !onSelection) return;
    const from = selection.anchor;
    if (event.shiftKey && from !== null) {
      const range = props.items.slice(Math.min(from, at), Math.max(from, at) + 1);
      onSelection(selection.add(range.map(idOf)));
    } else onSelection(selection.toggle(id, at));
  };
  return (
    <>
      <button
        type="button"
        tabIndex={at === active ? 0 : -1}
        data-tile={at}
        aria-label={nameOf(item)}
        aria-pressed={selection ? chosen : undefined}
        onFocus={() => onActive(at)}
        onClick={(event) => {
          const marked = event.target instanceof Element && event.target.closest('[data-mark]') !== null;
          if (selection && (event.ctrlKey || event.metaKey || event.shiftKey || marked)) choose(event);
          else onOpen(at);
        }}
        className={cx(
          'group relative block w-full overflow-hidden rounded-md bg-sunken',
          at === active && 'outline-2 outline-offset-2 outline-accent',
        )}
        style={{ height: size }}
      >
        {picture(item, at === active)}
        {selection && <Mark chosen={chosen} shown={selection.size > 0} />}
      </button>
      {caption(item)}
    </>
  );
}

export function Tiles<T>(props: TilesProps<T>) {
  const { label, items, total, active, onActive, onNear, captionHeight, selection, onSelection, idOf } =
    props;
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const columns = Math.max(2, Math.floor((width + GAP) / (LEAST + GAP)));
  const size = Math.max(80, (width - GAP * (columns - 1)) / columns);
  const count = Math.ceil(items.length / columns) + (total > items.length ? 1 : 0);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => frame.current,
    estimateSize: () => size + captionHeight + GAP,
    overscan: 3,
    paddingStart: 8,
    paddingEnd: PADDING,
  });
  useEffect(() => rows.measure(), [size, captionHeight, rows]);
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (width > 0 && (last + 1) * columns >= items.length) onNear();
  }, [width, last, columns, items.length, onNear]);
  useEffect(() => {
    if (width > 0) rows.scrollToIndex(Math.floor(active / columns), { align: 'auto' });
  }, [active, columns, rows, width]);

  const move = (to: number) => {
    const next = Math.max(0, Math.min(items.length - 1, to));
    onActive(next);
    // Once it is there, should it have been out of sight.
    requestAnimationFrame(() =>
      frame.current?.querySelector<HTMLElement>(`[data-tile="${next}"]`)?.focus({ preventScroll: true }),
    );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by: Partial<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      PageDown: 3 * columns,
      PageUp: -3 * columns,
      Home: -items.length,
      End: items.length,
    };
    const step = by[event.key];
    const item = items[active];
    if (step !== undefined) {
      event.preventDefault();
      if (event.shiftKey && selection && onSelection && item)
        onSelection(selection.add([idOf(item)], active));
      move(active + step);
    } else if (event.key === ' ' && selection && onSelection && item) {
      event.preventDefault();
      onSelection(selection.toggle(idOf(item), active));
    }
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col px-4 md:px-6">
      <div
        ref={frame}
        role="region"
        aria-label={label}
        onKeyDown={onKeyDown}
        className="-mx-2 min-h-0 flex-1 overflow-auto px-2"
      >
        <ul className="relative" style={{ height: rows.getTotalSize() }}>
          {shown.flatMap((row) =>
            Array.from({ length: columns }, (_, column) => {
              const at = row.index * columns + column;
              const item = items[at];
              if (!item && at >= total) return null;
              return (
                <li
                  key={at}
                  aria-setsize={total}
                  aria-posinset={at + 1}
                  className="absolute top-0"
                  style={{
                    width: size,
                    transform: `translate(${column * (size + GAP)}px, ${row.start}px)`,
                  }}
                >
                  {item ? (
                    <One item={item} at={at} size={size} props={props} />
                  ) : (
                    <div style={{ height: size }}>
                      <Skeleton className="h-full" />
                    </div>
                  )}
                </li>
              );
            }),
          )}
        </ul>
      </div>
    </div>
  );
}
