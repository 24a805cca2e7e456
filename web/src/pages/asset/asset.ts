/* An asset's versions, and values of its metadata as text and back. */
import type { components } from '@magpie/client';
import { useQuery } from '@tanstack/react-query';
import { magpie, queries } from '@/app/session';

export type Asset = components['schemas']['Asset'];
export type Version = components['schemas']['Version'];

/** Something of it is another now: whatever shows it asks again. */
export function fresh({ id, project_id }: Pick<Asset, 'id' | 'project_id'>): void {
  for (const key of [['asset', id], ['versions', id], ['diff', id], ['assets', project_id], ['projects']])
    void queries.invalidateQueries({ queryKey: key });
  for (const key of ['timeline', 'cells', 'recent', 'image'])
    void queries.invalidateQueries({ queryKey: [key] });
}

/** All of them, the newest first. */
export function useVersions(id: number) {
  return useQuery({
    queryKey: ['versions', id],
    queryFn: async ({ signal }) => {
      const all: Version[] = [];
      const init = { path: { id }, query: { limit: 200 }, signal };
      for await (const row of magpie.items('/api/assets/{id}/versions', 'versions', init)) all.push(row);
      return all.reverse();
    },
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A value as a person would write it: text as it is, unless it would be read as something else. */
export function shown(value: unknown): string {
  return typeof value === 'string' && parsed(value) === undefined ? value : JSON.stringify(value);
}

/** And back: numbers, yes, no, lists and objects as JSON has them, everything else is text. */
export function read(text: string): unknown {
  return parsed(text) ?? (text.trim() === 'null' ? null : text);
}
