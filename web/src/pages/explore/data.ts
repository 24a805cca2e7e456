/* What the explorer asks the service for: the map, a value for each of its points, the few pictures that are looked
 * at, hits and neighbours. */
import { decodeMap } from '@magpie/client';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { magpie, queries } from '@/app/session';
import { Cloud } from './engine/cloud';
import { clustersOf } from './engine/clusters';
import { coloringOf, decodeColors, type Coloring } from './engine/coloring';
import { syntheticCloud } from './engine/synthetic';

export interface Source {
  dims: 2 | 3;
  projectId: number | undefined;
  where: string | undefined;
  /** Made up, that many. */
  synthetic: number;
}

export interface News {
  stage: string;
  done: number;
  total: number;
  elapsed_s: number;
}

type MapState = { cloud: Cloud; news?: undefined } | { news: News; cloud?: undefined };

const whereOf = ({ projectId, where }: Source) => ({
  ...(projectId === undefined ? {} : { project_id: projectId }),
  ...(where ? { where } : {}),
});

async function fetchMap(source: Source, signal: AbortSignal): Promise<MapState> {
  if (source.synthetic) return { cloud: syntheticCloud(source.synthetic, source.dims) };
  const { data, response } = await magpie.api.GET('/api/vectors/map', {
    params: { query: { dims: source.dims, format: 'binary', background: true, ...whereOf(source) } },
    parseAs: 'arrayBuffer',
    signal,
  });
  const bytes = data as unknown as ArrayBuffer;
  if (response.status === 202) return { news: JSON.parse(new TextDecoder().decode(bytes)) as News };
  const map = decodeMap(bytes);
  return { cloud: new Cloud(map.ids, map.positions, map.dims) };
}

/** While it is being made, it is asked for again; who leaves and comes back finds it further. */
export function useMap(source: Source) {
  return useQuery({
    queryKey: ['map', source],
    queryFn: ({ signal }) => fetchMap(source, signal),
    refetchInterval: ({ state }) => (state.data?.news ? 800 : false),
    staleTime: ({ state }) => (state.data?.news ? 0 : 5 * 60_000),
    gcTime: 60_000,
    structuralSharing: false,
  });
}

export const COLORS = [
  'cluster',
  'tag',
  'project',
  'date',
  'anomaly',
  'sharpness',
  'brightness',
  'contrast',
] as const;
export type ColorBy = (typeof COLORS)[number];

const CLUSTERS = 8;

async function fetchColors(
  of: ColorBy,
  cloud: Cloud,
  source: Source,
  signal: AbortSignal,
): Promise<Coloring> {
  if (of === 'cluster') {
    const { values, sizes } = await clustersOf(cloud.positions, CLUSTERS, signal);
    return {
      kind: 'category',
      values,
      categories: sizes.map((count, i) => ({ name: String(i + 1), count })),
      rest: 0,
    };
  }
  const { data } = await magpie.api.GET('/api/vectors/map/colors', {
    params: { query: { of, ...whereOf(source) } },
    parseAs: 'arrayBuffer',
    signal,
  });
  return coloringOf(decodeColors(data as unknown as ArrayBuffer), cloud);
}

export function useColors(of: ColorBy, cloud: Cloud | undefined, source: Source) {
  return useQuery({
    // A cloud is never changed, so its size stands for it beside where it comes from.
    queryKey: ['map-colors', of, source, cloud?.count],
    queryFn: ({ signal }) => fetchColors(of, cloud as Cloud, source, signal),
    enabled: cloud !== undefined && cloud.count > 0,
    staleTime: 60_000,
    gcTime: 60_000,
    structuralSharing: false,
  });
}

// ---- pictures ----

export interface Cell {
  id: number;
  width: number;
  height: number;
  name: string;
  preview_url: string;
  tags: string[];
}

const keyOf = (id: number) => ['explore-cell', id];

/** At most 1000 in a request; what is known already is not asked for. */
export async function cellsOf(ids: readonly number[], signal?: AbortSignal): Promise<Cell[]> {
  const missing = ids.filter((id) => queries.getQueryData(keyOf(id)) === undefined);
  for (let from = 0; from < missing.length; from += 1000) {
    const body = { ids: missing.slice(from, from + 1000) };
    const { cells } = await magpie.json<{ cells: Cell[] }>('POST', '/api/images/cells', { body, signal });
    for (const cell of cells) queries.setQueryData(keyOf(cell.id), cell);
  }
  return ids.map((id) => queries.getQueryData<Cell>(keyOf(id))).filter((cell) => cell !== undefined);
}

export function forgetCells(): void {
  queries.removeQueries({ queryKey: ['explore-cell'] });
}

export async function previewsOf(ids: readonly number[], signal: AbortSignal): Promise<Map<number, string>> {
  return new Map((await cellsOf(ids, signal)).map((cell) => [cell.id, cell.preview_url]));
}

export function useCells(ids: readonly number[]) {
  return useQuery({
    queryKey: ['explore-cells', ids],
    queryFn: ({ signal }) => cellsOf(ids, signal),
    enabled: ids.length > 0,
    placeholderData: keepPreviousData,
  });
}

// ---- hits and neighbours ----

interface Answer {
  results: { id: number; score: number }[];
}

export interface Hits {
  /** Scores by place on the map, the best first. */
  scores: ReadonlyMap<number, number>;
  /** Hits that the map does not show. */
  elsewhere: number;
}

function placed({ results }: Answer, cloud: Cloud): Hits {
  const scores = new Map<number, number>();
  for (const { id, score } of results) {
    const place = cloud.find(id);
    if (place >= 0) scores.set(place, score);
  }
  return { scores, elsewhere: results.length - scores.size };
}

const MOST_HITS = 1000;

export function useHits(words: string, cloud: Cloud | undefined, source: Source) {
  const query = useQuery({
    queryKey: ['explore-hits', words, source],
    queryFn: ({ signal }) =>
      magpie.json<Answer>('POST', '/api/search/text', {
        body: { query: words, limit: MOST_HITS, ...whereOf(source) },
        signal,
      }),
    enabled: words.trim() !== '' && !source.synthetic,
  });
  const hits = useMemo(
    () => (query.data && cloud && words.trim() ? placed(query.data, cloud) : undefined),
    [query.data, cloud, words],
  );
  return { ...query, hits };
}

export function useNeighbours(place: number, cloud: Cloud | undefined, source: Source) {
  const id = place >= 0 ? cloud?.ids[place] : undefined;
  const { data } = useQuery({
    queryKey: ['explore-near', id, source],
    queryFn: ({ signal }) =>
      magpie.json<Answer>('POST', '/api/search/similar', {
        body: { image_id: id, limit: 10, ...whereOf(source) },
        signal,
      }),
    enabled: id !== undefined && !source.synthetic,
  });
  return useMemo(
    () => (data && cloud && id !== undefined ? placed(data, cloud).scores : undefined),
    [data, cloud, id],
  );
}
