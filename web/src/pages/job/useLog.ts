/* What a job says, from its first line: also after a reload, and on from where it was when the connection breaks. */
import type { JobLine, JobState } from '@magpie/client';
import { useEffect, useState } from 'react';
import { magpie } from '@/app/session';
import { secondsLeft } from '@/lib/job';

const DRAWN_MS = 100;

export interface JobLog {
  lines: readonly JobLine[];
  state: JobState | null;
  /** Seconds, once they can be told. */
  left: number | undefined;
  /** Nothing more comes. */
  over: boolean;
  error: unknown;
}

const NOTHING: JobLog = { lines: [], state: null, left: undefined, over: false, error: null };

/** Lines by rising number, each once: a stream that is taken up anew begins with the first. */
export function joined(old: readonly JobLine[], fresh: readonly JobLine[]): readonly JobLine[] {
  const last = old.at(-1)?.id ?? 0;
  const more = fresh.filter((line) => line.id > last);
  return more.length ? [...old, ...more] : old;
}

/** `round` rises when it is tried again: what was said stays, and what comes follows. */
export function useLog(id: number, round: number): JobLog {
  const [log, setLog] = useState(NOTHING);
  useEffect(() => {
    const stop = new AbortController();
    let first: { at: number; done: number } | undefined;
    let waiting: JobLine[] = [];
    let change: Partial<JobLog> = { over: false, error: null };
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A job that says much is not drawn line by line.
    const draw = () => {
      timer = undefined;
      const [fresh, rest] = [waiting, change];
      waiting = [];
      change = {};
      if (!stop.signal.aborted) setLog((old) => ({ ...old, ...rest, lines: joined(old.lines, fresh) }));
    };
    const soon = () => {
      timer ??= setTimeout(draw, DRAWN_MS);
    };
    const follow = async () => {
      for await (const news of magpie.jobLogs(id, stop.signal)) {
        if (news.kind === 'log') waiting.push(news);
        else {
          const { status, done, total } = news;
          if (status === 'queued') first = undefined;
          else if (done > 0) first ??= { at: performance.now(), done };
          const left = first && secondsLeft(first, performance.now(), done, total);
          change = { ...change, state: { status, done, total }, left };
        }
        soon();
      }
    };
    follow()
      .then(() => (change = { ...change, over: true }))
      .catch((error: unknown) => (change = { ...change, over: true, error }))
      .finally(soon);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, round]);
  return log;
}
