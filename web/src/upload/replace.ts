/* The new picture instead of the old one: it gets the old one's words, and then the old one goes - for good when the
 * notice goes, so that it can be taken back. */
import { magpie, queries } from '@/app/session';
import { toastError, undoable } from '@/app/toasts';
import { t } from '@/text';
import type { Image } from '@/viewer/Facts';

const CHANGED = ['timeline', 'cells', 'stats', 'recent', 'image'];

export function refresh(): void {
  for (const key of CHANGED) void queries.invalidateQueries({ queryKey: [key] });
}

/** What people wrote on the old one: nothing that the new one has is written over. */
export async function carryOver(from: number, to: number): Promise<void> {
  const old = await magpie.json<Image>('GET', `/api/images/${from}`);
  const words = {
    ...(old.title ? { title: old.title } : {}),
    ...(old.description ? { description: old.description } : {}),
    ...(old.tags.length ? { add_tags: old.tags.slice(0, 64) } : {}),
  };
  if (Object.keys(words).length) await magpie.json('PATCH', `/api/images/${to}`, { body: words });
}

export function letGo(ids: readonly number[]): void {
  if (ids.length === 0) return;
  const commit = () => {
    magpie
      .json('POST', '/api/images/delete', { body: { ids }, keepalive: true })
      .then(refresh)
      .catch(toastError);
  };
  undoable(t('gate.replaced', { n: ids.length }), t('app.undo'), commit, refresh);
}
