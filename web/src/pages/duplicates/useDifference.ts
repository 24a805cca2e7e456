/* How two pictures relate, and a picture of where they differ. */
import type { components } from '@magpie/client';
import { useQuery } from '@tanstack/react-query';
import { magpie } from '@/app/session';
import { drawn } from '@/lib/drawn';

export type Comparison = components['schemas']['Comparison'];

export function useComparison(a: number, b: number) {
  return useQuery({
    queryKey: ['comparison', a, b],
    queryFn: ({ signal }) =>
      magpie.json<Comparison>('GET', `/api/images/${a}/explain`, { query: { with: b }, signal }),
    staleTime: Infinity,
    enabled: a !== b,
  });
}

export function useDifference(a: number, b: number) {
  return useQuery({
    queryKey: ['difference', a, b],
    queryFn: ({ signal }) => drawn(a, { with: b, format: 'png' }, signal),
    staleTime: Infinity,
    enabled: a !== b,
  });
}
