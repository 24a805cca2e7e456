/* What a key may do: some of what its owner may. */
import type { components } from '@magpie/client';

export type Key = components['schemas']['ApiKey'];
export type Reach = 'read' | 'write' | 'all' | 'chosen';

/** The scopes that a choice stands for, of what there is to choose from. */
export function scopesOf(reach: Reach, mine: readonly string[], chosen: readonly string[]): string[] {
  if (reach === 'all') return ['*'];
  if (reach === 'chosen') return mine.filter((one) => chosen.includes(one));
  const wanted = reach === 'read' ? ['read'] : ['read', 'write'];
  return mine.filter((one) =>
    ['assets', 'projects'].some((what) => wanted.some((action) => one === `${what}.${action}`)),
  );
}
