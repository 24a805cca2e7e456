import { useMutation } from '@tanstack/react-query';
import { magpie } from '@/app/session';
import { toastError } from '@/app/toasts';
import { useProgress } from '@/lib/job';
import { useStore } from '@/lib/store';
import { number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Meter } from '@/ui/Meter';
import { over, task } from './task';

function left(seconds: number): string {
  return seconds < 90
    ? t('catalogue.task.seconds', { n: Math.max(1, Math.round(seconds)) })
    : t('catalogue.task.minutes', { n: Math.round(seconds / 60) });
}

function Running({ job }: { job: number }) {
  const progress = useProgress(job, () => void over(job));
  const cancel = useMutation({
    mutationFn: () => magpie.json('POST', `/api/jobs/${job}/cancel`, { body: {} }),
    onError: toastError,
  });
  const { status, done = 0, total = 0, left: seconds } = progress ?? {};
  return (
    <section
      aria-label={t('catalogue.task.label')}
      className="flex flex-wrap items-center gap-x-4 gap-y-1 rounded-md border border-line bg-surface px-4 py-2"
    >
      <div className="min-w-48 flex-1">
        <p className="flex flex-wrap justify-between gap-x-4" role="status">
          <span className="font-medium">{t('catalogue.task.label')}</span>
          <span className="text-muted tabular-nums">
            {total > 0
              ? t('catalogue.task.progress', {
                  done,
                  total,
                  part: number(done / total, { style: 'percent' }),
                })
              : t(status === 'processing' ? 'catalogue.task.running' : 'catalogue.task.waiting')}
            {seconds !== undefined && ` · ${left(seconds)}`}
          </span>
        </p>
        <Meter label={t('catalogue.task.label')} done={done} total={total} />
      </div>
      <Button busy={cancel.isPending || cancel.isSuccess} onClick={() => cancel.mutate()}>
        {t('catalogue.task.cancel')}
      </Button>
    </section>
  );
}

/** Pictures are being fetched: how far that is. */
export function Task() {
  const job = useStore(task);
  return job ? <Running key={job} job={job} /> : null;
}
