/* One view - zoom and place - for several panes of the same size: what is done in one happens in all. Panes are the
 * elements with data-pane below `frame`. Wheel and pinch work around the pointer; dragging moves. */
import { useCallback, useEffect, useRef, useState, type PointerEvent, type RefObject } from 'react';

export interface View {
  scale: number;
  x: number;
  y: number;
}
export interface Point {
  x: number;
  y: number;
}

export const WHOLE: View = { scale: 1, x: 0, y: 0 };
const MOST = 24;

/** Around a point, measured from the middle of the pane. */
export function zoomed(view: View, factor: number, at: Point): View {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  if (scale === 1) return WHOLE;
  const by = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

/** No further than the picture's edge in the middle of the pane. */
export function moved(view: View, x: number, y: number, size: { width: number; height: number }): View {
  if (view.scale === 1) return view;
  const hold = (value: number, side: number) => {
    const most = (side * view.scale) / 2;
    return Math.max(-most, Math.min(most, value));
  };
  return { ...view, x: hold(view.x + x, size.width), y: hold(view.y + y, size.height) };
}

const paneOf = (target: EventTarget | null): HTMLElement | null =>
  target instanceof Element ? target.closest<HTMLElement>('[data-pane]') : null;

function fromMiddle(pane: HTMLElement, { x, y }: Point): Point {
  const box = pane.getBoundingClientRect();
  return { x: x - box.left - box.width / 2, y: y - box.top - box.height / 2 };
}

function sizeIn(frame: HTMLElement | null) {
  const pane = frame?.querySelector('[data-pane]');
  return { width: pane?.clientWidth ?? 0, height: pane?.clientHeight ?? 0 };
}

export function useAligned(frame: RefObject<HTMLElement | null>, about: string) {
  const [kept, setKept] = useState({ about, view: WHOLE });
  const view = kept.about === about ? kept.view : WHOLE;
  const setView = useCallback(
    (next: (old: View) => View) =>
      setKept((old) => ({ about, view: next(old.about === about ? old.view : WHOLE) })),
    [about],
  );
  const pointers = useRef(new Map<number, Point>());

  const zoom = useCallback(
    (factor: number, at: Point = { x: 0, y: 0 }) => setView((old) => zoomed(old, factor, at)),
    [setView],
  );
  const pan = (x: number, y: number) => setView((old) => moved(old, x, y, sizeIn(frame.current)));
  const reset = useCallback(() => setView(() => WHOLE), [setView]);

  // React listens to wheels passively, and the page would scroll.
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      const pane = paneOf(event.target);
      if (!pane) return;
      event.preventDefault();
      const at = fromMiddle(pane, { x: event.clientX, y: event.clientY });
      zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), at);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [frame, zoom]);

  const span = () => {
    const [a, b] = [...pointers.current.values()];
    return a && b
      ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) }
      : null;
  };
  const gone = (event: PointerEvent) => void pointers.current.delete(event.pointerId);
  const handlers = {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      const pane = paneOf(event.target);
      if (!pane || event.button !== 0) return;
      pane.setPointerCapture(event.pointerId);
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const old = pointers.current.get(event.pointerId);
      const pane = paneOf(event.target);
      if (!old || !pane) return;
      const before = span();
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const after = span();
      if (before && after && before.apart > 0) {
        zoom(after.apart / before.apart, fromMiddle(pane, after));
        pan(after.x - before.x, after.y - before.y);
      } else pan(event.clientX - old.x, event.clientY - old.y);
    },
    onPointerUp: gone,
    onPointerCancel: gone,
    onDoubleClick: (event: React.MouseEvent<HTMLElement>) => {
      const pane = paneOf(event.target);
      if (!pane) return;
      if (view.scale > 1) reset();
      else zoom(3, fromMiddle(pane, { x: event.clientX, y: event.clientY }));
    },
  };
  return { view, zoom, pan, reset, handlers };
}
