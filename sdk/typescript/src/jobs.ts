/* Jobs: what they tell while they run, and how they end. */
import type { MagpieEvent, Job, JobLine, JobNews, JobState, JobStatus } from './model.js';
import { pause } from './pause.js';
import { follow, type Follow } from './sse.js';

/** Nothing happens to it any more, unless somebody asks for another attempt. */
export function isOver(status: JobStatus): boolean {
  return status !== 'queued' && status !== 'processing';
}

export async function* readEvents(options: Follow): AsyncGenerator<MagpieEvent, void, undefined> {
  for await (const message of follow(options)) yield JSON.parse(message.data) as MagpieEvent;
}

/** A status can come before the last lines, so that only the stream's end after it is the end. */
export async function* readJobLogs(options: Follow): AsyncGenerator<JobNews, void, undefined> {
  let last = '';
  let over = false;
  for await (const { event, data } of follow({ ...options, over: () => over })) {
    if (event === 'log') {
      yield { kind: 'log', ...(JSON.parse(data) as JobLine) };
    } else if (event === 'status' && data !== last) {
      last = data; // which a stream that is taken up again repeats
      const state = JSON.parse(data) as JobState;
      over = isOver(state.status);
      yield { kind: 'status', ...state };
    }
  }
}

export interface WaitOptions {
  /** Rejects with the signal's reason; AbortSignal.timeout() sets a limit. */
  signal?: AbortSignal;
  /** Called when progress or status is another than at the last look. */
  onProgress?: (job: Job) => void;
  /** The longest pause between two looks, in milliseconds; 2000 by default. */
  interval?: number;
}

export async function waitFor(look: () => Promise<Job>, options: WaitOptions): Promise<Job> {
  const longest = options.interval ?? 2000;
  let seen = '';
  for (let wait = Math.min(100, longest); ; wait = Math.min(wait * 1.5, longest)) {
    const job = await look();
    const now = `${job.status} ${job.progress.done} ${job.progress.total}`;
    if (now !== seen) options.onProgress?.(job);
    seen = now;
    if (isOver(job.status)) return job;
    await pause(wait, options.signal);
  }
}
