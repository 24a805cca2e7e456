/* Thumbnails of the pictures that events are about, a few at a time. */
import { useEffect, useState } from 'react';
import { magpie } from '@/app/session';
import type { Cell } from '@/grid/useCells';

const SETTLED_MS = 200;
const AT_ONCE = 200;

/** undefined: not asked for yet; null: there is none. */
type Known = ReadonlyMap<number, Cell | null>;

export function useThumbs(ids: readonly number[]): Known {
  const [cells, setCells] = useState<Known>(new Map());
  const missing = ids.filter((id) => !cells.has(id)).slice(0, AT_ONCE);
  const name = missing.join();
  useEffect(() => {
    if (name === '') return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      const some = name.split(',').map(Number);
      void magpie
        .json<{ cells: Cell[] }>('POST', '/api/images/cells', { body: { ids: some }, signal: stop.signal })
        .then(({ cells: found }) => found)
        // Without them the words still say what happened.
        .catch(() => [])
        .then((found) => {
          if (stop.signal.aborted) return;
          setCells(
            (old) =>
              new Map([
                ...old,
                ...some.map((id) => [id, null] as const),
                ...found.map((cell) => [cell.id, cell] as const),
              ]),
          );
        });
    }, SETTLED_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [name]);
  return cells;
}
