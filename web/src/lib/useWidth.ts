import { useLayoutEffect, useState, type RefObject } from 'react';

function contentWidth(element: HTMLElement): number {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  return Math.max(0, element.clientWidth - (parseFloat(paddingLeft) || 0) - (parseFloat(paddingRight) || 0));
}

/** How wide an element is inside, as it changes; 0 before it is there. Known before the first paint, so that nothing
 * is laid out twice. */
export function useWidth(of: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = of.current;
    if (!element) return;
    // eslint-disable-next-line react-hooks/set-state-in-effect -- measured before the paint, as React advises
    setWidth(contentWidth(element));
    const watch = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    watch.observe(element);
    return () => watch.disconnect();
  }, [of]);
  return width;
}
