/* Notices that pass by themselves. What can be taken back says so, and is only done for good when its notice goes:
 * see `undoable`. */
import { store } from '@/lib/store';
import { describe, type Trouble } from './errors';

export interface Toast {
  id: number;
  text: string;
  kind: 'info' | 'error';
  trouble?: Trouble;
  action?: { label: string; run: () => void };
  /** Milliseconds; undefined: stays. */
  lasts: number | undefined;
  /** It went without its action being taken. */
  gone?: () => void;
}

export const toasts = store<readonly Toast[]>([]);
let last = 0;
const MOST = 4;

export function toast(given: Partial<Toast> & { text: string }): number {
  const one: Toast = { kind: 'info', lasts: 6000, ...given, id: ++last };
  const all = [...toasts.get(), one];
  for (const old of all.slice(0, -MOST)) old.gone?.();
  toasts.set(all.slice(-MOST));
  return one.id;
}

export function toastError(error: unknown): void {
  const trouble = describe(error);
  toast({ text: trouble.what, kind: 'error', trouble, lasts: 12_000 });
}

export function dismiss(id: number, acted = false): void {
  const one = toasts.get().find((each) => each.id === id);
  if (!one) return;
  toasts.set(toasts.get().filter((each) => each.id !== id));
  if (!acted) one.gone?.();
}

/** `commit` runs when the time to take it back is over, also when the page is left; `revert` when it is taken back. */
export function undoable(text: string, label: string, commit: () => void, revert: () => void): void {
  let settled = false;
  const finish = () => {
    if (settled) return;
    settled = true;
    removeEventListener('pagehide', finish);
    commit();
  };
  addEventListener('pagehide', finish);
  const run = () => {
    if (settled) return;
    settled = true;
    removeEventListener('pagehide', finish);
    revert();
  };
  toast({ text, action: { label, run }, lasts: 8000, gone: finish });
}
