/* Deciding, and taking back what was decided last. */
import { useCallback, useMemo, useRef } from 'react';
import { useUser } from '@/app/session';
import { toastError } from '@/app/toasts';
import { keyOf, say, useVerdicts, type Word } from '@/lib/verdicts';
import type { Question } from './clusters';
import { decisionOf, goes, keeping, toggled, type Cluster, type Decision } from './decide';
import { memoryOf, useDecisions } from './memory';

const MOST_STEPS = 500;

export function useDecide(question: Question) {
  const { kind } = question;
  const user = useUser()?.id ?? 0;
  const memory = memoryOf(user, question);
  const decisions = useDecisions(memory);
  const verdicts = useVerdicts();
  const past = useRef<(() => void)[]>([]);

  const remember = useCallback((back: () => void) => {
    past.current = [...past.current.slice(-MOST_STEPS), back];
  }, []);
  const set = useCallback(
    (patch: Readonly<Record<string, Decision | null>>) => {
      const back = memory.set(patch);
      remember(back);
      return back;
    },
    [memory, remember],
  );

  return useMemo(() => {
    const of = (cluster: Cluster) => decisionOf(cluster, kind, decisions);
    const change = (cluster: Cluster, patch: Partial<Decision>) =>
      set({ [cluster.key]: { ...of(cluster), ...patch } });
    const isDifferent = (a: number, b: number) => verdicts.get(keyOf(a, b)) === 'different';
    return {
      decisions,
      verdicts,
      of,
      isDifferent,
      set,
      accept: (cluster: Cluster) => {
        const decision = of(cluster);
        // Nothing would go: whoever accepts that leaves all of them.
        const state = goes(cluster, decision).length ? 'accepted' : 'left';
        return change(cluster, { state: decision.state === state ? 'open' : state });
      },
      leave: (cluster: Cluster) => change(cluster, { state: of(cluster).state === 'left' ? 'open' : 'left' }),
      keep: (cluster: Cluster, id: number) =>
        set({ [cluster.key]: { ...keeping(of(cluster), id), state: 'open' } }),
      toggle: (cluster: Cluster, id: number) =>
        set({ [cluster.key]: { ...toggled(of(cluster), id), state: 'open' } }),
      /** Whether two show the same; said again, it is taken back. Gives back whether all pairs are decided now. */
      judge: (cluster: Cluster, id: number, word: Word): boolean => {
        const old = of(cluster);
        const said = verdicts.get(keyOf(old.keep, id)) === word ? null : word;
        const stay = old.stay.filter((one) => one !== id);
        const next = { ...old, stay: said === 'different' ? [...stay, id] : stay };
        const others = cluster.members.filter((one) => one.id !== old.keep);
        const all =
          said !== null && others.every((one) => one.id === id || verdicts.has(keyOf(old.keep, one.id)));
        const state = !all ? 'open' : goes(cluster, next).length ? 'accepted' : 'left';
        const back = memory.set({ [cluster.key]: { ...next, state } });
        let undone = false;
        const told = say(said, old.keep, id);
        told.catch((error: unknown) => {
          if (!undone) back();
          toastError(error);
        });
        remember(() => {
          undone = true;
          back();
          told.then((before) => say(before, old.keep, id)).catch(() => undefined);
        });
        return all;
      },
      undo: (): boolean => {
        const back = past.current.at(-1);
        past.current = past.current.slice(0, -1);
        back?.();
        return back !== undefined;
      },
    };
  }, [decisions, kind, memory, remember, set, verdicts]);
}

export type Decide = ReturnType<typeof useDecide>;
