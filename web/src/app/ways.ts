import { useQuery } from '@tanstack/react-query';
import { magpie } from './session';

export interface Ways {
  setup_needed: boolean;
  registration: 'open' | 'invite' | 'closed';
  mail: boolean;
}

/** How one gets in here. */
export function useWays() {
  return useQuery({
    queryKey: ['ways'],
    queryFn: ({ signal }) => magpie.json<Ways>('GET', '/api/auth/ways', { signal }),
  });
}
