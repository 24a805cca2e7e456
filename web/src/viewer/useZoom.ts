/* Zoom and pan of a picture in a frame: wheel and pinch around the pointer, dragging, double click. */
import { useCallback, useEffect, useRef, useState, type PointerEvent } from 'react';

export interface View {
  scale: number;
  x: number;
  y: number;
}

const WHOLE: View = { scale: 1, x: 0, y: 0 };
const MOST = 16;

export function useZoom(frame: React.RefObject<HTMLElement | null>) {
  const [view, setView] = useState(WHOLE);
  const pointers = useRef(new Map<number, { x: number; y: number }>());

  /** Around a point of the window; the middle of the frame where there is none. */
  const zoom = useCallback(
    (factor: number, at?: { x: number; y: number }) => {
      const box = frame.current?.getBoundingClientRect();
      if (!box) return;
      const px = at ? at.x - box.left - box.width / 2 : 0;
      const py = at ? at.y - box.top - box.height / 2 : 0;
      setView((old) => {
        const scale = Math.min(MOST, Math.max(1, old.scale * factor));
        if (scale === 1) return WHOLE;
        const by = scale / old.scale;
        return { scale, x: px - (px - old.x) * by, y: py - (py - old.y) * by };
      });
    },
    [frame],
  );
  const pan = useCallback((x: number, y: number) => {
    setView((old) => (old.scale === 1 ? old : { ...old, x: old.x + x, y: old.y + y }));
  }, []);
  const reset = useCallback(() => setView(WHOLE), []);

  // React listens to wheels passively, and the page would scroll.
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), { x: event.clientX, y: event.clientY });
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
  const handlers = {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove: (event: PointerEvent) => {
      const old = pointers.current.get(event.pointerId);
      if (!old) return;
      const before = span();
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const after = span();
      if (before && after && before.apart > 0) {
        zoom(after.apart / before.apart, after);
        pan(after.x - before.x, after.y - before.y);
      } else pan(event.clientX - old.x, event.clientY - old.y);
    },
    onPointerUp: (event: PointerEvent) => void pointers.current.delete(event.pointerId),
    onPointerCancel: (event: PointerEvent) => void pointers.current.delete(event.pointerId),
    onDoubleClick: (event: React.MouseEvent) => {
      if (view.scale > 1) reset();
      else zoom(3, { x: event.clientX, y: event.clientY });
    },
  };
  return { view, zoom, pan, reset, handlers };
}
