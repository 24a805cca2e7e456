/* Plans: what is to go, drafted, applied, put back. */
import type { components } from '@magpie/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { magpie, queries } from '@/app/session';
import { toastError } from '@/app/toasts';

export type Plan = components['schemas']['Plan'];
export type PlanPicture = components['schemas']['PlanPicture'];
export type Report = components['schemas']['PlanReport'];
export interface WholePlan extends Plan {
  clusters: { keep: PlanPicture; remove: PlanPicture[] }[];
}

const POLL_MS = 700;
export const isMoving = (plan: Pick<Plan, 'status'> | undefined) =>
  plan?.status === 'applying' || plan?.status === 'undoing';

export function usePlans() {
  return useQuery({
    queryKey: ['plans'],
    queryFn: ({ signal }) =>
      magpie.json<{ plans: Plan[] }>('GET', '/api/dedup/plans', { query: { limit: 100 }, signal }),
    select: (answer) => answer.plans,
    refetchInterval: (query) => (query.state.data?.plans.some(isMoving) ? POLL_MS : false),
  });
}

/** Its pictures do not change; its state does, see usePlanState. */
export function usePlan(id: number) {
  return useQuery({
    queryKey: ['plan', id],
    queryFn: ({ signal }) => magpie.json<WholePlan>('GET', `/api/dedup/plans/${id}`, { signal }),
    staleTime: Infinity,
  });
}

/** How far it is: asked often while it moves, also after a reload in the middle. */
export function usePlanState(id: number, moving: boolean) {
  return useQuery({
    queryKey: ['plan state', id],
    queryFn: async ({ signal }) => {
      const query = { cursor: id + 1, limit: 1 }; // plans come newest first
      const { plans } = await magpie.json<{ plans: Plan[] }>('GET', '/api/dedup/plans', { query, signal });
      return plans[0]?.plan_id === id ? plans[0] : null;
    },
    refetchInterval: (query) => (moving || isMoving(query.state.data ?? undefined) ? POLL_MS : false),
  }).data;
}

function changed(id: number): void {
  void queries.invalidateQueries({ queryKey: ['plans'] });
  void queries.invalidateQueries({ queryKey: ['plan state', id] });
}

/** Everything that shows pictures is another now. */
function moved(id: number): void {
  changed(id);
  void queries.invalidateQueries({
    predicate: ({ queryKey: [what] }) => what !== 'plan' && what !== 'clusters',
  });
  void queries.resetQueries({ queryKey: ['clusters'] });
}

export function useMove(id: number) {
  return useMutation({
    mutationKey: ['move', id],
    mutationFn: (how: 'apply' | 'undo') =>
      magpie.json<Report>('POST', `/api/dedup/plans/${id}/${how}`, { body: {} }),
    onError: toastError,
    onSettled: () => moved(id),
  });
}

export function useDrop(id: number, onDone: () => void) {
  return useMutation({
    mutationFn: () => magpie.json('DELETE', `/api/dedup/plans/${id}`),
    onError: toastError,
    onSuccess: onDone,
    onSettled: () => changed(id),
  });
}
