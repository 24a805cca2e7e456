/* The odd ones: asked for once per question; what another rate of false alarms flags is known without asking. */
import type { components } from '@magpie/client';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { magpie } from '@/app/session';
import { writeCsv } from '@/lib/csv';
import type { Word } from '@/lib/verdicts';

export type Odd = components['schemas']['Anomaly'];
export type Answer = components['schemas']['AnomalyAnswer'];
export type Rate = Answer['rates'][number];
export type Scores = Answer['scores'];

export interface Question {
  project: number | undefined;
  where: string;
  normals: string;
}

const PAGE = 200;

export function fetchOdd(
  { project, where, normals }: Question,
  cursor: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Answer> {
  const query = {
    limit,
    cursor: cursor || undefined,
    project_id: project,
    where: where || undefined,
    normals: normals || undefined,
  };
  return magpie.json('GET', '/api/qa/anomalies', { query, signal });
}

export function useOdd(question: Question) {
  const query = useInfiniteQuery({
    queryKey: ['anomalies', question],
    queryFn: ({ pageParam, signal }) => fetchOdd(question, pageParam, PAGE, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    staleTime: Infinity, // made anew when somebody asks for it: what is being judged must not move
    gcTime: 30 * 60_000,
  });
  const { data } = query;
  const list = useMemo(() => {
    // A verdict between two pages moves what comes after it by one.
    const seen = new Map(data?.pages.flatMap((page) => page.anomalies).map((one) => [one.id, one]));
    return [...seen.values()];
  }, [data]);
  return { ...query, list, first: data?.pages[0] };
}

/** The place of a rate in the list, the nearest there is. */
export function nearestRate(rates: readonly Rate[], alpha: number): number {
  let best = 0;
  rates.forEach((rate, i) => {
    const at = rates[best];
    if (at && Math.abs(Math.log(rate.alpha / alpha)) < Math.abs(Math.log(at.alpha / alpha))) best = i;
  });
  return best;
}

/** Which bars are at or above a score: from this one on. */
export function barOf({ from, to, counts }: Scores, score: number): number {
  if (to <= from) return 0;
  return Math.min(counts.length - 1, Math.floor(((score - from) / (to - from)) * counts.length));
}

// ---- to take away ----

const COLUMNS = ['id', 'name', 'score', 'anomaly_score', 'p_value', 'flagged', 'verdict', 'tags'] as const;
type Line = Record<(typeof COLUMNS)[number], string | number | boolean>;

export function lineOf(one: Odd, alpha: number, verdict: Word | undefined): Line {
  const { payload } = one;
  return {
    id: one.id,
    name: 'name' in payload ? payload.name : '',
    score: one.score,
    anomaly_score: one.anomaly_score,
    p_value: one.p_value,
    flagged: one.p_value <= alpha,
    verdict: verdict ?? '',
    tags: 'name' in payload ? payload.tags.join(' ') : '',
  };
}

export function csv(lines: readonly Line[]): string {
  return writeCsv([COLUMNS, ...lines.map((line) => COLUMNS.map((name) => line[name]))]);
}
