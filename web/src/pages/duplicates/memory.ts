/* Decisions that are not carried out yet. They outlive the page: half an hour of looking must not be lost. */
import { store, useStore, type Store } from '@/lib/store';
import type { Question } from './clusters';
import type { Decision, Decisions } from './decide';

const MOST = 20_000;

export interface Memory {
  decisions: Store<Decisions>;
  /** null forgets. Gives back what undoes it. */
  set: (patch: Readonly<Record<string, Decision | null>>) => () => void;
}

function load(place: string): Decisions {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place) ?? '{}');
    return typeof kept === 'object' && kept !== null ? (kept as Decisions) : {};
  } catch {
    return {};
  }
}

function save(place: string, decisions: Decisions): void {
  try {
    const entries = Object.entries(decisions).slice(-MOST);
    localStorage.setItem(place, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // No room: they live as long as the page.
  }
}

function memoryAt(place: string): Memory {
  const decisions = store<Decisions>(load(place));
  const put = (patch: Readonly<Record<string, Decision | null>>) => {
    const next: Record<string, Decision> = { ...decisions.get() };
    for (const [key, decision] of Object.entries(patch)) {
      // What was decided last comes last.
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      delete next[key];
      if (decision) next[key] = decision;
    }
    decisions.set(next);
    save(place, next);
  };
  return {
    decisions,
    set: (patch) => {
      const old = decisions.get();
      const back = Object.fromEntries(Object.keys(patch).map((key) => [key, old[key] ?? null]));
      put(patch);
      return () => put(back);
    },
  };
}

const all = new Map<string, Memory>();

export function memoryOf(user: number, { kind, threshold, where, project }: Question): Memory {
  const place = `magpie.duplicates.${user}.${kind}.${threshold}.${project ?? 0}.${where}`;
  const known = all.get(place);
  if (known) return known;
  const made = memoryAt(place);
  all.set(place, made);
  return made;
}

export function useDecisions(memory: Memory): Decisions {
  return useStore(memory.decisions);
}
