import { isOver, type Job } from '@magpie/client';
import { Link } from '@tanstack/react-router';
import { CircleStop, Download, RotateCw } from 'lucide-react';
import { useProjects } from '@/app/project';
import { useUser } from '@/app/session';
import { aboutOf, leftWords, titleOf } from '@/lib/jobs';
import { mayDecide, useJobActions } from '@/lib/useJobActions';
import { mayEdit, type Project } from '@/lib/projects';
import { ago, date, number, t } from '@/text';
import { IconButton } from '@/ui/Button';
import { JobState } from '@/ui/JobState';
import { Meter } from '@/ui/Meter';

/** Whether somebody may write to the project of a job. */
export function useEdits(id: number): boolean {
  const user = useUser();
  const { data } = useProjects();
  const project = data?.find((one) => one.id === id) as Project | undefined;
  return project !== undefined && mayEdit(user, project);
}

function When({ job }: { job: Job }) {
  const at = job.finished_at ?? job.started_at ?? job.created_at;
  return at ? <span title={date(at)}>{ago(at)}</span> : null;
}

function Going({ job, left }: { job: Job; left: number | undefined }) {
  const { done, total } = job.progress;
  if (job.status !== 'processing') return null;
  return (
    <div className="order-2 basis-full">
      <Meter label={t('work.jobs.progress', { name: titleOf(job) })} done={done} total={total} />
      <p className="mt-1 flex justify-between gap-3 text-muted tabular-nums">
        <span>
          {total > 0
            ? t('work.job.progress', { n: done, total, part: number(done / total, { style: 'percent' }) })
            : done > 0
              ? t('work.job.done', { n: done })
              : t('job.processing')}
        </span>
        {left !== undefined && <span>{leftWords(left)}</span>}
      </p>
    </div>
  );
}

export function Row({
  job,
  left,
  project,
}: {
  job: Job;
  left: number | undefined;
  project: (id: number) => string;
}) {
  const user = useUser();
  const edits = useEdits(job.project_id);
  const may = mayDecide(user, job, edits);
  const { cancel, retry } = useJobActions(job);
  const about = aboutOf(job);
  const name = `${titleOf(job)} #${job.id}`;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-2.5 last:border-0">
      <JobState status={job.status} className="w-28 max-sm:flex-1" />
      <div className="min-w-44 flex-1 max-sm:order-1 max-sm:basis-full">
        <Link to={`/jobs/${job.id}`} className="rounded-md font-medium break-words hover:underline">
          {titleOf(job)} <span className="font-normal text-muted">#{job.id}</span>
        </Link>
        <p className="line-clamp-1 break-all text-muted">
          {about}
          {about && job.project_id > 0 && ' · '}
          {job.project_id > 0 && project(job.project_id)}
        </p>
        {job.error && !['completed', 'processing'].includes(job.status) && (
          <p className="line-clamp-2 break-words text-danger">{job.error}</p>
        )}
      </div>
      <span className="shrink-0 text-muted">
        <When job={job} />
        {job.attempts > 1 && (
          <span className="block text-right">
            {t('work.job.attempt', { n: job.attempts, most: job.max_attempts })}
          </span>
        )}
      </span>
      <span className="flex shrink-0 justify-end gap-1 sm:w-20">
        {job.download_url && (
          <a
            href={job.download_url}
            download
            aria-label={t('work.jobs.download', { name })}
            title={t('work.jobs.download', { name })}
            className="inline-flex size-9 items-center justify-center rounded-md hover:bg-sunken pointer-coarse:size-11"
          >
            <Download size={18} aria-hidden />
          </a>
        )}
        {may && !isOver(job.status) && (
          <IconButton
            icon={CircleStop}
            label={t('work.jobs.cancel', { name })}
            disabled={job.cancel_requested || cancel.isPending}
            onClick={() => cancel.mutate()}
          />
        )}
        {may && ['failed', 'dead', 'cancelled'].includes(job.status) && (
          <IconButton
            icon={RotateCw}
            label={t('work.jobs.retry', { name })}
            disabled={retry.isPending}
            onClick={() => retry.mutate()}
          />
        )}
      </span>
      <Going job={job} left={left} />
    </li>
  );
}
