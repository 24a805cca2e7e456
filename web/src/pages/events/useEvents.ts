/* The past in pages, the newest first, and from its end on what happens: nothing is lost in between, and the stream
 * goes on where it was when the connection comes back. */
import type { MagpieEvent } from '@magpie/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { magpie } from '@/app/session';
import { merged } from './events';

interface Page {
  events: MagpieEvent[];
  last_id: number;
}

const MOST = 2000;
const DRAWN_MS = 150;

interface State {
  list: readonly MagpieEvent[];
  /** Came while it was paused. */
  held: readonly MagpieEvent[];
  ready: boolean;
  /** There may be older ones. */
  more: boolean;
  error: unknown;
}

const NOTHING: State = { list: [], held: [], ready: false, more: true, error: null };

export function useEvents(type: string, project_id: number | undefined, paused: boolean) {
  const [state, setState] = useState(NOTHING);
  const [round, setRound] = useState(0);
  const [loading, setLoading] = useState(false);
  const holds = useRef(paused);
  useEffect(() => {
    holds.current = paused;
    // Going on shows what came meanwhile.
    if (!paused)
      setState((old) =>
        old.held.length ? { ...old, list: merged(old.list, old.held, MOST), held: [] } : old,
      );
  }, [paused]);

  const page = useCallback(
    (before: number | undefined, signal?: AbortSignal) =>
      magpie.json<Page>('GET', '/api/events', {
        query: { type: type || undefined, project_id, order: 'desc', before },
        signal,
      }),
    [type, project_id],
  );

  useEffect(() => {
    const stop = new AbortController();
    let waiting: MagpieEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      const fresh = waiting;
      waiting = [];
      if (stop.signal.aborted) return;
      setState((old) =>
        holds.current
          ? { ...old, held: merged(old.held, fresh, MOST) }
          : { ...old, list: merged(old.list, fresh, MOST) },
      );
    };
    const listen = async () => {
      setState(NOTHING);
      const { events } = await page(undefined, stop.signal);
      setState({ ...NOTHING, list: events, ready: true, more: events.length > 0 });
      const after = events[0]?.id ?? 0;
      const options = {
        after,
        signal: stop.signal,
        ...(type ? { type } : {}),
        ...(project_id === undefined ? {} : { project_id }),
      };
      for await (const event of magpie.events(options)) {
        waiting.push(event);
        timer ??= setTimeout(draw, DRAWN_MS);
      }
    };
    listen().catch((error: unknown) => {
      if (!stop.signal.aborted) setState((old) => ({ ...old, ready: true, error }));
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [page, type, project_id, round]);

  const older = async () => {
    const last = state.list.at(-1)?.id;
    if (last === undefined) return;
    setLoading(true);
    try {
      const { events } = await page(last);
      setState((old) => ({ ...old, list: merged(old.list, events), more: events.length > 0 }));
    } catch (error) {
      setState((old) => ({ ...old, error }));
    }
    setLoading(false);
  };
  return { ...state, loading, older, again: () => setRound((n) => n + 1) };
}
