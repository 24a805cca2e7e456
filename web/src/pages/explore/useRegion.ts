/* Drawing a box or a lasso over the canvas. It listens above the canvas and before it, so that the view does not
 * move meanwhile. With shift held, dragging draws a box whatever the tool. */
import { useEffect, useRef, useState, type RefObject } from 'react';
import { boxOf } from './engine/polygon';

export type Tool = 'move' | 'box' | 'lasso';
export type Change = 'replace' | 'add' | 'remove';
type Corner = [number, number];

const STEP_PX = 3;

export function useRegion(
  frame: RefObject<HTMLElement | null>,
  tool: Tool,
  onDone: (polygon: Corner[], change: Change) => void,
): readonly Corner[] | null {
  const [drawn, setDrawn] = useState<Corner[] | null>(null);
  const done = useRef(onDone);
  useEffect(() => {
    done.current = onDone;
  });
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const end = new AbortController();
    const { signal } = end;
    let points: Corner[] | null = null;
    let box = false;
    const here = (event: PointerEvent): Corner => {
      const area = element.getBoundingClientRect();
      return [event.clientX - area.left, event.clientY - area.top];
    };
    const shape = () => (points && box ? boxOf(points[0] ?? [0, 0], points.at(-1) ?? [0, 0]) : points);
    const stop = () => {
      points = null;
      setDrawn(null);
    };
    const down = (event: PointerEvent) => {
      if (event.button !== 0 || !(event.target instanceof HTMLCanvasElement)) return;
      if (tool === 'move' && !event.shiftKey) return;
      event.stopPropagation();
      event.preventDefault();
      event.target.focus({ preventScroll: true });
      element.setPointerCapture(event.pointerId);
      box = tool !== 'lasso';
      points = [here(event)];
    };
    const move = (event: PointerEvent) => {
      if (!points) return;
      event.stopPropagation();
      const at = here(event);
      const last = points.at(-1) ?? at;
      if (Math.hypot(at[0] - last[0], at[1] - last[1]) < STEP_PX) return;
      points.push(at);
      setDrawn([...(shape() ?? [])]);
    };
    const up = (event: PointerEvent) => {
      if (!points) return;
      event.stopPropagation();
      const polygon = shape();
      const moved = points.length > 1;
      stop();
      if (polygon && moved)
        done.current(
          polygon,
          event.altKey ? 'remove' : event.shiftKey && tool !== 'move' ? 'add' : 'replace',
        );
      else if (tool !== 'move') done.current([], 'replace');
    };
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !points) return;
      event.stopPropagation();
      stop();
    };
    element.addEventListener('pointerdown', down, { capture: true, signal });
    element.addEventListener('pointermove', move, { capture: true, signal });
    element.addEventListener('pointerup', up, { capture: true, signal });
    element.addEventListener('pointercancel', stop, { capture: true, signal });
    document.addEventListener('keydown', key, { capture: true, signal });
    return () => end.abort();
  }, [frame, tool]);
  return drawn;
}
