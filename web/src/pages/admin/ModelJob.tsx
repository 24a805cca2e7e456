/* A job that is at work on models: how far it is, what it says, and a way to stop it. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { magpie, queries } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { useProgress } from '@/lib/job';
import { number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Meter } from '@/ui/Meter';
import { leftWords, modelOf, type Job } from './models';

function titleOf(job: Job): string {
  const model = modelOf(job);
  return job.type === 'use_model'
    ? t('admin.models.switching', { model })
    : t('admin.models.fetching', { model });
}

export function Working({ job }: { job: Job }) {
  const progress = useProgress(job.id, (status) => {
    if (status === 'completed') {
      const model = modelOf(job);
      toast({
        text:
          job.type === 'use_model'
            ? t('admin.models.switched', { model })
            : t('admin.models.fetched', { model }),
      });
    }
    void queries.invalidateQueries();
  });
  const cancel = useMutation({
    mutationFn: () => magpie.json('POST', `/api/jobs/${job.id}/cancel`, { body: {} }),
    onError: toastError,
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['models'] }),
  });
  const { done, total } = progress ?? job.progress;
  const waiting = (progress?.status ?? job.status) === 'queued';
  return (
    <section
      aria-label={titleOf(job)}
      className="flex flex-col gap-3 rounded-md border border-accent bg-accent-soft p-4"
    >
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 className="font-semibold">{titleOf(job)}</h2>
        <Button busy={cancel.isPending || cancel.isSuccess} onClick={() => cancel.mutate()}>
          {t('admin.models.stop')}
        </Button>
      </div>
      {job.type === 'use_model' && <p>{t('admin.models.meanwhile')}</p>}
      <Meter label={titleOf(job)} done={done} total={total} />
      <p role="status" className="flex min-h-6 justify-between gap-4 tabular-nums">
        <span>
          {waiting
            ? t('admin.models.waiting')
            : total > 0
              ? number(done / total, { style: 'percent' })
              : t('admin.models.running')}
        </span>
        {progress?.left !== undefined && <span>{leftWords(progress.left)}</span>}
      </p>
      {waiting && job.error && <p className="text-danger">{t('admin.models.again', { why: job.error })}</p>}
    </section>
  );
}

/** The last one, where it did not come to its end. */
export function Ended({ job }: { job: Job }) {
  const model = modelOf(job);
  const stopped = job.status === 'cancelled';
  const { data: words } = useQuery({
    queryKey: ['job', job.id, 'log'],
    enabled: !stopped,
    queryFn: async ({ signal }) => {
      const lines: string[] = [];
      for await (const news of magpie.jobLogs(job.id, signal)) if (news.kind === 'log') lines.push(news.text);
      return lines;
    },
  });
  const retry = useMutation({
    mutationFn: () => magpie.json('POST', `/api/jobs/${job.id}/retry`, { body: {} }),
    onError: toastError,
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['models'] }),
  });
  return (
    <section
      aria-label={t('admin.models.ended')}
      className={`flex flex-wrap items-center justify-between gap-3 rounded-md border p-4 ${
        stopped ? 'border-line bg-surface' : 'border-danger bg-danger-soft'
      }`}
    >
      <div className="min-w-0 flex-1 basis-60">
        <h2 className="font-semibold">
          {job.type === 'use_model'
            ? t('admin.models.notSwitched', { model })
            : t('admin.models.notFetched', { model })}
        </h2>
        <p>{stopped ? t('admin.models.stopped') : job.error}</p>
        {words && words.length > 0 && (
          <details className="mt-1">
            <summary>{t('error.details')}</summary>
            <ul className="font-mono text-xs break-all">
              {words.map((line, i) => (
                <li key={i}>{line}</li>
              ))}
            </ul>
          </details>
        )}
      </div>
      <Button busy={retry.isPending} onClick={() => retry.mutate()}>
        {stopped ? t('admin.models.goOn') : t('app.retry')}
      </Button>
    </section>
  );
}
