/* Changes of many pictures at once, each with its way back: what it takes is asked for before anything changes. */
import { magpie, queries } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { t } from '@/text';

/** What one request may name. */
const MOST = 1000;

function refresh(): void {
  for (const key of ['image', 'timeline', 'cells', 'stats', 'recent'])
    void queries.invalidateQueries({ queryKey: [key] });
}

function done(text: string, back: () => Promise<unknown>): void {
  refresh();
  const run = () => {
    back().catch(toastError).finally(refresh);
  };
  toast({ text, action: { label: t('app.undo'), run }, lasts: 10_000 });
}

interface TagChange {
  ids: readonly number[];
  add_tags?: readonly string[];
  remove_tags?: readonly string[];
}

async function sendTags(body: TagChange): Promise<void> {
  if (body.ids.length) await magpie.json('POST', '/api/images/tags', { body });
}

async function tagsOf(ids: readonly number[]): Promise<Map<number, Set<string>>> {
  const found = new Map<number, Set<string>>();
  for (let at = 0; at < ids.length; at += MOST) {
    const body = { ids: ids.slice(at, at + MOST) };
    const { cells } = await magpie.json<{ cells: { id: number; tags: string[] }[] }>(
      'POST',
      '/api/images/cells',
      { body },
    );
    for (const { id, tags } of cells) found.set(id, new Set(tags.map((tag) => tag.toLowerCase())));
  }
  return found;
}

/** What it takes to have the tags of before: only those that had one, or lacked it, are touched. */
export function wayBack(
  ids: readonly number[],
  had: ReadonlyMap<number, ReadonlySet<string>>,
  add: readonly string[],
  drop: readonly string[],
): TagChange[] {
  const which = (tag: string, there: boolean) =>
    ids.filter((id) => had.has(id) && had.get(id)?.has(tag.toLowerCase()) === there);
  // A tag under both is added in the end.
  const dropped = drop.filter((tag) => !add.some((other) => other.toLowerCase() === tag.toLowerCase()));
  return [
    ...add.map((tag): TagChange => ({ ids: which(tag, false), remove_tags: [tag] })),
    ...dropped.map((tag): TagChange => ({ ids: which(tag, true), add_tags: [tag] })),
  ].filter((change) => change.ids.length > 0);
}

export async function tagMany(
  ids: readonly number[],
  add: readonly string[],
  drop: readonly string[],
): Promise<void> {
  try {
    const had = await tagsOf(ids);
    await sendTags({ ids, add_tags: add, remove_tags: drop });
    done(t('bulk.tagged', { n: ids.length }), async () => {
      for (const change of wayBack(ids, had, add, drop)) await sendTags(change);
    });
  } catch (error) {
    toastError(error);
  }
}

interface Moved {
  from: { project_id: number; ids: number[] }[];
}

function move(ids: readonly number[], project_id: number): Promise<Moved> {
  return magpie.json('POST', '/api/images/move', { body: { ids, project_id } });
}

/** False: refused, and said so. */
export async function moveMany(
  ids: readonly number[],
  project: { id: number; name: string },
  onBack: () => void,
): Promise<boolean> {
  try {
    const { from } = await move(ids, project.id);
    done(t('move.done', { n: ids.length, name: project.name }), async () => {
      for (const one of from) await move(one.ids, one.project_id);
      onBack();
    });
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}
