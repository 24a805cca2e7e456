/* The browser's own modal dialogs. Nothing beside the topmost one can be reached, so that what must stay in reach -
 * notices - has to stand inside of it: `topmost` tells where. */
import { useEffect, type RefObject } from 'react';
import { store } from '@/lib/store';

export const topmost = store<HTMLDialogElement | null>(null);
const open: HTMLDialogElement[] = [];

/** React's autoFocus comes before the dialog is open, when nothing in it can have the focus. */
const FIELD =
  'input:not([type]), input[type=text], input[type=password], input[type=radio]:checked, textarea';

/** Opens it for as long as the component is there; the focus goes to its first field (`toField`), and in the end back
 * to where it was. */
export function useModal(ref: RefObject<HTMLDialogElement | null>, toField = false): void {
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    const before = document.activeElement;
    dialog.showModal();
    if (toField) dialog.querySelector<HTMLElement>(FIELD)?.focus();
    open.push(dialog);
    topmost.set(dialog);
    return () => {
      open.splice(open.indexOf(dialog), 1);
      topmost.set(open.at(-1) ?? null);
      dialog.close();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, [ref, toField]);
}
