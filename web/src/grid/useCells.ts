/* The pictures of the segments that are seen. What is passed over quickly is not asked for. */
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { magpie } from '@/app/session';
import type { Section } from './sections';

export interface Cell {
  id: number;
  width: number;
  height: number;
  name: string;
  preview_url: string;
}

export type ListQuery = Record<string, string | number | undefined>;

const SETTLED_MS = 90;

function cellsOf(query: ListQuery, section: Section) {
  const { cursor, count } = section.segment;
  return {
    queryKey: ['cells', query, section.at, cursor, count],
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const asked = { ...query, limit: count, cursor };
      return (await magpie.json<{ cells: Cell[] }>('GET', '/api/images/cells', { query: asked, signal }))
        .cells;
    },
    // Links in it are good for an hour at least.
    staleTime: 30 * 60_000,
  };
}

/** Of `shown`: the cells where they are known. */
export function useCells(query: ListQuery, shown: readonly Section[]): (readonly Cell[] | undefined)[] {
  const name = shown.map((section) => section.at).join();
  const [settled, setSettled] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSettled(name), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [name]);
  return useQueries({
    queries: shown.map((section) => ({
      ...cellsOf(query, section),
      enabled: settled === name || settled === '',
    })),
    combine: useCallback((all: { data: Cell[] | undefined }[]) => all.map(({ data }) => data), []),
  });
}

/** Of any segment, for selections that reach further than what is seen. */
export function useLoadCells(query: ListQuery) {
  const client = useQueryClient();
  return useCallback((section: Section) => client.query(cellsOf(query, section)), [client, query]);
}
