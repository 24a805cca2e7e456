/* A job that a page waits for: its progress as it comes, taken up again after a reload or a broken connection. */
import { useEffect, useRef, useState } from 'react';
import { magpie } from '@/app/session';

export interface Progress {
  status: string;
  done: number;
  total: number;
  /** Seconds, once they can be told. */
  left?: number;
}

export function secondsLeft(
  first: { at: number; done: number },
  now: number,
  done: number,
  total: number,
): number | undefined {
  const seconds = (now - first.at) / 1000;
  const did = done - first.done;
  return total > done && did > 0 && seconds >= 2 ? ((total - done) * seconds) / did : undefined;
}

/** `onOver` with the status it ended with. 0: there is none. */
export function useProgress(id: number, onOver: (status: string) => void): Progress | null {
  const [progress, setProgress] = useState<Progress | null>(null);
  const over = useRef(onOver);
  useEffect(() => {
    over.current = onOver;
  });
  useEffect(() => {
    if (!id) return;
    const stop = new AbortController();
    const follow = async () => {
      let first: { at: number; done: number } | undefined;
      let status = '';
      for await (const news of magpie.jobLogs(id, stop.signal)) {
        if (news.kind !== 'status') continue;
        const { done, total } = news;
        status = news.status;
        if (done > 0) first ??= { at: performance.now(), done };
        const left = first && secondsLeft(first, performance.now(), done, total);
        setProgress({ status, done, total, ...(left === undefined ? {} : { left }) });
      }
      if (!stop.signal.aborted) over.current(status);
    };
    follow().catch(() => {
      if (!stop.signal.aborted) over.current('');
    });
    return () => {
      stop.abort();
      setProgress(null);
    };
  }, [id]);
  return progress;
}
