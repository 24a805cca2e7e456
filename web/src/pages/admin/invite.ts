import type { Invite } from './people';

/** An invitation is good once, and until its time is over. */
export function stateOf(
  invite: Pick<Invite, 'used_at' | 'expires_at'>,
  now: number,
): 'open' | 'used' | 'over' {
  if (invite.used_at !== null) return 'used';
  return invite.expires_at * 1000 <= now ? 'over' : 'open';
}
