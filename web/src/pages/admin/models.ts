/* The models of the library, and the jobs that are at work on them. */
import type { components } from '@magpie/client';
import { useQuery } from '@tanstack/react-query';
import { magpie } from '@/app/session';
import { t } from '@/text';

export type Model = components['schemas']['Model'];
export type Job = components['schemas']['Job'];

export interface Models {
  models: Model[];
  images: number;
  job: Job | null;
}

export function useModels() {
  return useQuery({
    queryKey: ['models'],
    queryFn: ({ signal }) => magpie.json<Models>('GET', '/api/models', { signal }),
    // Somebody else, or another process, may have begun something.
    refetchInterval: 15_000,
    staleTime: 0,
  });
}

/** The newest job of these types; to be told of when it went wrong. */
export function useLast() {
  return useQuery({
    queryKey: ['models', 'last'],
    queryFn: async ({ signal }) => {
      const lists = await Promise.all(
        ['use_model', 'fetch_model'].map((type) =>
          magpie.json<{ jobs: Job[] }>('GET', '/api/jobs', { query: { type, limit: 1 }, signal }),
        ),
      );
      const newest = lists.flatMap((list) => list.jobs).toSorted((a, b) => b.id - a.id);
      return newest[0] ?? null;
    },
    staleTime: 0,
  });
}

export function modelOf(job: { params: object }): string {
  const name = 'model' in job.params ? job.params.model : undefined;
  return typeof name === 'string' ? name : '';
}

export function leftWords(seconds: number): string {
  if (seconds < 90) return t('admin.models.seconds', { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t('admin.models.minutes', { n: Math.round(seconds / 60) });
  return t('admin.models.hours', { n: Math.round(seconds / 3600) });
}

/** How far a model is from being the one in use. */
export function stepOf(model: Model): 'current' | 'fetch' | 'absent' | 'back' | 'use' {
  if (model.current) return 'current';
  if (!model.installed) return model.fetchable ? 'fetch' : 'absent';
  return model.images > 0 ? 'back' : 'use';
}
