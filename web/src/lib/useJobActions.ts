/* Stopping a job and trying it again: seen at once, as it was where the service refuses. */
import type { Job } from '@magpie/client';
import { useMutation, type InfiniteData } from '@tanstack/react-query';
import { magpie, queries, type User } from '@/app/session';
import { toastError } from '@/app/toasts';

interface JobPage {
  jobs: Job[];
  next_cursor: string | null;
}

function put(job: Job): void {
  queries.setQueryData(['job', job.id], job);
  queries.setQueriesData<InfiniteData<JobPage>>(
    { queryKey: ['jobs', 'list'] },
    (old) =>
      old && {
        ...old,
        pages: old.pages.map((page) => ({
          ...page,
          jobs: page.jobs.map((one) => (one.id === job.id ? job : one)),
        })),
      },
  );
}

/** Whether to offer it; the service also lets those who may write to the job's project. */
export function mayDecide(user: User | null, job: Pick<Job, 'user_id'>, edits: boolean): boolean {
  if (user === null || user.role === 'guest') return false;
  return user.role === 'admin' || user.role === 'operator' || job.user_id === user.id || edits;
}

export function useJobActions(job: Job) {
  const send = (what: 'cancel' | 'retry') =>
    magpie.json<Job>('POST', `/api/jobs/${job.id}/${what}`, { body: {}, keepalive: true });
  // What is shown meanwhile is not what it was.
  const show = (meanwhile: Partial<Job>) => {
    put({ ...job, ...meanwhile });
    return { before: job };
  };
  const settle = {
    onSuccess: put,
    onError: (error: unknown, _: unknown, shown: { before: Job } | undefined) => {
      if (shown) put(shown.before);
      toastError(error);
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['jobs'] });
      void queries.invalidateQueries({ queryKey: ['job', job.id] });
    },
  };
  const cancel = useMutation({
    mutationFn: () => send('cancel'),
    onMutate: () =>
      show({ cancel_requested: true, status: job.status === 'queued' ? 'cancelled' : job.status }),
    ...settle,
  });
  const retry = useMutation({
    mutationFn: () => send('retry'),
    onMutate: () => show({ status: 'queued', error: '', cancel_requested: false }),
    ...settle,
  });
  return { cancel, retry };
}
