/* The job that looks through a large library: its progress, time left, and a way to stop it. */
import { useMutation } from '@tanstack/react-query';
import { magpie } from '@/app/session';
import { toastError } from '@/app/toasts';
import { useProgress } from '@/lib/job';
import { number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Meter } from '@/ui/Meter';

function leftWords(seconds: number): string {
  return seconds < 90
    ? t('duplicates.job.seconds', { n: Math.max(1, Math.round(seconds)) })
    : t('duplicates.job.minutes', { n: Math.round(seconds / 60) });
}

export function Searching({ job, onOver }: { job: number; onOver: () => void }) {
  const progress = useProgress(job, onOver);
  const cancel = useMutation({
    mutationFn: () => magpie.json('POST', `/api/jobs/${job}/cancel`, { body: {} }),
    onError: toastError,
  });
  const { done = 0, total = 0, left } = progress ?? {};
  return (
    <section className="mx-auto flex w-full max-w-xl flex-col gap-3 px-6 py-16">
      <h2 className="text-lg font-semibold">{t('duplicates.job.title')}</h2>
      <p className="text-muted">{t('duplicates.job.text')}</p>
      <Meter label={t('duplicates.job.title')} done={done} total={total} />
      <p className="flex min-h-6 justify-between gap-4 tabular-nums" role="status">
        <span>
          {total > 0
            ? t('duplicates.job.progress', {
                n: done,
                total,
                part: number(done / total, { style: 'percent' }),
              })
            : t('duplicates.job.waiting')}
        </span>
        {left !== undefined && <span>{leftWords(left)}</span>}
      </p>
      <div>
        <Button busy={cancel.isPending || cancel.isSuccess} onClick={() => cancel.mutate()}>
          {t('duplicates.job.cancel')}
        </Button>
      </div>
    </section>
  );
}
