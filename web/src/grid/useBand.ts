/* A rubber band: dragging with a mouse from anywhere draws a rectangle, in the coordinates of the content. */
import { useEffect, useRef, useState, type PointerEvent } from 'react';
import type { Box } from './justify';

interface Drag {
  x: number;
  y: number;
  extend: boolean;
}

const FAR = 6;
const EDGE = 40;
const STEP = 18;

export function useBand(
  /** From the pointer to the content. */
  place: (clientX: number, clientY: number) => { x: number; y: number },
  scroller: React.RefObject<HTMLElement | null>,
  onBand: (box: Box, extend: boolean, done: boolean) => void,
  /** Set when a band ends: the click that follows is not meant. */
  ended: React.RefObject<boolean>,
) {
  const drag = useRef<Drag | null>(null);
  const pointer = useRef({ x: 0, y: 0 });
  const [band, setBand] = useState<Box | null>(null);
  const drawn = band !== null;

  const draw = (done: boolean) => {
    const from = drag.current;
    if (!from) return;
    const to = place(pointer.current.x, pointer.current.y);
    const box = {
      x: Math.min(from.x, to.x),
      y: Math.min(from.y, to.y),
      width: Math.abs(from.x - to.x),
      height: Math.abs(from.y - to.y),
    };
    if (!drawn && box.width < FAR && box.height < FAR) return;
    setBand(done ? null : box);
    onBand(box, from.extend, done);
  };
  const latest = useRef(draw);
  useEffect(() => {
    latest.current = draw;
  });

  // Near the edges the page follows the pointer.
  useEffect(() => {
    if (!drawn) return;
    let frame = requestAnimationFrame(function follow() {
      const element = scroller.current;
      if (element) {
        const { top, bottom } = element.getBoundingClientRect();
        const by = pointer.current.y < top + EDGE ? -STEP : pointer.current.y > bottom - EDGE ? STEP : 0;
        if (by) {
          element.scrollTop += by;
          latest.current(false);
        }
      }
      frame = requestAnimationFrame(follow);
    });
    return () => cancelAnimationFrame(frame);
  }, [drawn, scroller]);

  return {
    band,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        if (event.pointerType !== 'mouse' || event.button !== 0) return;
        pointer.current = { x: event.clientX, y: event.clientY };
        drag.current = {
          ...place(event.clientX, event.clientY),
          extend: event.ctrlKey || event.metaKey || event.shiftKey,
        };
      },
      onPointerMove: (event: PointerEvent<HTMLElement>) => {
        if (!drag.current) return;
        pointer.current = { x: event.clientX, y: event.clientY };
        if (!drawn) event.currentTarget.setPointerCapture(event.pointerId);
        draw(false);
      },
      onPointerUp: () => {
        if (drawn) {
          draw(true);
          ended.current = true;
        }
        drag.current = null;
      },
      onPointerCancel: () => {
        drag.current = null;
        setBand(null);
      },
    },
  };
}
