/* The clusters of a question: at once where the library is small, by a job where it is large. The address names the
 * job, so that a reload goes on with it; the last one of each question is remembered, as it took long to make. */
import type { components } from '@magpie/client';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { magpie, queries } from '@/app/session';
import { clustersOf, type Answer, type Kind } from './decide';

export interface Question {
  kind: Kind;
  /** 0: the kind's own. */
  threshold: number;
  where: string;
  project: number | undefined;
}
type Job = components['schemas']['JobAnswer'];

const PAGE = 100;
const MORE = 500;
/** What a plan can hold; of more, the first are decided first. */
export const MOST_CLUSTERS = 10_000;

function ask(question: Question, job: number, cursor: string, signal: AbortSignal): Promise<Answer | Job> {
  if (job)
    return magpie.json('GET', `/api/deduplicate/${job}`, {
      query: { limit: cursor ? MORE : PAGE, cursor: cursor || undefined },
      signal,
    });
  const { kind, threshold, where, project } = question;
  const body = {
    kind,
    limit: cursor ? MORE : PAGE,
    ...(threshold ? { threshold } : {}),
    ...(where ? { where } : {}),
    ...(project ? { project_id: project } : {}),
    ...(cursor ? { cursor } : {}),
  };
  return magpie.json('POST', '/api/deduplicate', { body, signal });
}

const isAnswer = (page: Answer | Job): page is Answer => 'clusters' in page;

export function useClusters(question: Question, job: number) {
  const query = useInfiniteQuery({
    queryKey: ['clusters', question, job],
    queryFn: ({ pageParam, signal }) => ask(question, job, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (page) => (isAnswer(page) ? page.next_cursor : null),
    staleTime: Infinity, // made anew when somebody asks for it: what is being looked at must not move
    gcTime: 30 * 60_000,
  });
  const { data } = query;
  const clusters = useMemo(() => data?.pages.filter(isAnswer).flatMap(clustersOf) ?? [], [data]);
  const first = data?.pages[0];
  return {
    ...query,
    clusters,
    first: first && isAnswer(first) ? first : undefined,
    job: first && !isAnswer(first) ? first.id : 0,
  };
}

export function lookAgain(): void {
  void queries.resetQueries({ queryKey: ['clusters'] });
}

// ---- the last job of a question ----

const placeOf = ({ kind, threshold, where, project }: Question) =>
  `magpie.duplicates.job.${kind}.${threshold}.${project ?? 0}.${where}`;

export function rememberJob(question: Question, job: number): void {
  if (job) localStorage.setItem(placeOf(question), String(job));
  else localStorage.removeItem(placeOf(question));
}

export function rememberedJob(question: Question): number {
  return Number(localStorage.getItem(placeOf(question)) ?? 0) || 0;
}
