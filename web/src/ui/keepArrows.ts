import type { KeyboardEvent } from 'react';

/** Of sliders and radio buttons, which need these keys themselves: no shortcut of the page gets them. */
export function keepArrows(event: KeyboardEvent): void {
  if (/^(Arrow|Home$|End$|Page)/.test(event.key)) event.stopPropagation();
}
