/* Pictures that the service did not take in because the project has one that shows the same: what is asked of people,
 * and what they can answer. */
import { MagpieError, type components } from '@magpie/client';
import { store } from '@/lib/store';

export type Match = components['schemas']['Match'];
export const ANSWERS = ['keep', 'skip', 'replace'] as const;
/** keep: both stay. skip: the new one is left out. replace: the new one comes in, and the old one goes. */
export type Answer = (typeof ANSWERS)[number];

const STORED = 'magpie.askCopies';
export const asking = store<boolean>(localStorage.getItem(STORED) !== 'no');

export function chooseAsking(on: boolean): void {
  localStorage.setItem(STORED, on ? 'yes' : 'no');
  asking.set(on);
}

/** The picture that stood in the way, where that is why the service refused. */
export function matchOf(error: unknown): Match | null {
  if (!(error instanceof MagpieError) || error.status !== 409) return null;
  const { body } = error;
  if (typeof body !== 'object' || body === null || !('match' in body)) return null;
  return body.match as Match;
}
