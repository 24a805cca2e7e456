/* Keyboard shortcuts: one listener for all. What is registered is what the sheet of shortcuts (?) shows, so that it
 * is never out of date. Keys typed into fields are text; while a dialog is open, only its own count. */
import { useEffect, useRef } from 'react';
import { store } from '@/lib/store';

export interface Shortcut {
  /** 'l', 'Escape', 'ctrl+k', 'g l' (one after the other); letters with case, so 'L' is shift and l. */
  keys: string;
  /** On the sheet; absent: not shown. */
  label?: string;
  run: (event: KeyboardEvent) => void;
  /** Also for a dialog that is open. */
  inDialog?: boolean;
  /** Of the frame, not of one page. */
  everywhere?: boolean;
}

export const shortcuts = store<readonly Shortcut[]>([]);

const PAUSE_MS = 1200;
let begun = '';
let begunAt = 0;

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'button', 'range', 'file'].includes(target.type);
  return (
    target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}

function nameOf(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey ? 'ctrl+' : '';
  return control + (event.key.length === 1 && control ? event.key.toLowerCase() : event.key);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const key = nameOf(event);
  if (isField(event.target) && !key.startsWith('ctrl+')) return;
  const dialog = document.querySelector('dialog[open]') !== null;
  const sequence = event.timeStamp - begunAt < PAUSE_MS && begun !== '' ? `${begun} ${key}` : key;
  const usable = shortcuts.get().filter((one) => !dialog || one.inDialog);
  // The last one registered lies on top.
  const hit = usable.findLast((one) => one.keys === sequence) ?? usable.findLast((one) => one.keys === key);
  begun = usable.some((one) => one.keys.startsWith(`${key} `)) ? key : '';
  begunAt = event.timeStamp;
  if (!hit) return;
  begun = '';
  event.preventDefault();
  hit.run(event);
}

export function listen(): () => void {
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

/** These count while the component is there. The handlers may change with each rendering; keys and labels may not,
 * but for `active`. */
export function useShortcuts(list: readonly Shortcut[], active = true): void {
  const latest = useRef(list);
  useEffect(() => {
    latest.current = list;
  });
  const shape = list.map((one) => `${one.keys}\0${one.label ?? ''}`).join('\n');
  useEffect(() => {
    if (!active) return;
    const mine = latest.current.map((one, i) => ({
      ...one,
      run: (event: KeyboardEvent) => latest.current[i]?.run(event),
    }));
    shortcuts.set([...shortcuts.get(), ...mine]);
    return () => shortcuts.set(shortcuts.get().filter((one) => !mine.includes(one)));
  }, [active, shape]);
}
