/* One job: how far it is, what it says while it runs, how it ended, and what to do then. */
import { isOver, type Job } from '@magpie/client';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { CircleStop, Copy, Download, RotateCw, TriangleAlert } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { useShortcuts } from '@/app/keys';
import { magpie, queries, useUser } from '@/app/session';
import { aboutOf, isDelayed, leftWords, nextStep, titleOf, tookWords, typeName } from '@/lib/jobs';
import { useProjectName, useUserName } from '@/lib/projects';
import { mayDecide, useJobActions } from '@/lib/useJobActions';
import { ago, bytes, date, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { JobState } from '@/ui/JobState';
import { Meter } from '@/ui/Meter';
import { Page } from '@/ui/Page';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { useEdits } from '@/pages/jobs/Row';
import { Log } from './Log';
import { useLog } from './useLog';

const LINK =
  'inline-flex min-h-9 items-center gap-2 rounded-md px-3 font-medium pointer-coarse:min-h-11 bg-accent text-on-accent hover:opacity-90';

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-h-9 items-baseline gap-4 border-b border-line py-1.5 last:border-0">
      <dt className="w-28 shrink-0 text-muted">{name}</dt>
      <dd className="min-w-0 flex-1 break-words">{children}</dd>
    </div>
  );
}

function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={ago(at)}>
      {date(at, { dateStyle: 'medium', timeStyle: 'medium' })}
    </time>
  );
}

function Facts({ job }: { job: Job }) {
  const projectName = useProjectName();
  const by = useUserName(job.user_id);
  const took =
    job.started_at && job.finished_at
      ? (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000
      : undefined;
  return (
    <dl className="rounded-md border border-line bg-surface px-4 py-1">
      <Fact name={t('work.jobs.type')}>{typeName(job.type)}</Fact>
      {job.project_id > 0 && (
        <Fact name={t('nav.project')}>
          <Link to={`/projects/${job.project_id}`} className="text-accent underline">
            {projectName(job.project_id)}
          </Link>
        </Fact>
      )}
      <Fact name={t('work.job.by')}>
        {job.user_id ? (by ?? t('work.userNumber', { id: String(job.user_id) })) : t('work.system')}
      </Fact>
      {job.created_at && (
        <Fact name={t('work.job.asked')}>
          <Time at={job.created_at} />
        </Fact>
      )}
      {job.started_at && (
        <Fact name={t('work.job.started')}>
          <Time at={job.started_at} />
        </Fact>
      )}
      {job.finished_at && (
        <Fact name={t('work.job.ended')}>
          <Time at={job.finished_at} />
          {took !== undefined && took >= 0 && <span className="text-muted"> · {tookWords(took)}</span>}
        </Fact>
      )}
      {job.attempts > 0 && (
        <Fact name={t('work.job.attempts')}>
          {t('work.job.attempt', { n: job.attempts, most: job.max_attempts })}
        </Fact>
      )}
      {job.priority !== 0 && <Fact name={t('work.job.priority')}>{number(job.priority)}</Fact>}
    </dl>
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What goes in and what comes out: members of an object by name, numbers as people write them. */
function Members({ title, value }: { title: string; value: unknown }) {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return null;
  return (
    <section className="min-w-0">
      <h2 className="mb-2 font-medium">{title}</h2>
      <dl className="max-h-72 overflow-auto rounded-md border border-line bg-surface px-4 py-1" tabIndex={0}>
        {Object.entries(value).map(([name, one]: [string, unknown]) => (
          <Fact key={name} name={name}>
            {typeof one === 'number' ? (name === 'bytes' ? bytes(one) : number(one)) : text(one)}
          </Fact>
        ))}
      </dl>
    </section>
  );
}

/** Where it stands, in one glance. */
function Standing({ job, left }: { job: Job; left: number | undefined }) {
  const { done, total } = job.progress;
  const delayed = isDelayed(job);
  return (
    <section aria-label={t('work.job.standing')} className="rounded-md border border-line bg-surface p-4">
      <p role="status" className="flex flex-wrap items-baseline justify-between gap-x-4">
        <JobState status={job.status} className="text-base" />
        <span className="text-muted tabular-nums">
          {job.cancel_requested && !isOver(job.status)
            ? t('work.job.stopping')
            : delayed && job.run_at
              ? t(job.attempts > 0 ? 'work.job.again' : 'work.job.notBefore', { when: ago(job.run_at) })
              : job.status === 'queued'
                ? t('work.job.waits')
                : job.status === 'processing' && total > 0
                  ? t('work.job.progress', {
                      n: done,
                      total,
                      part: number(done / total, { style: 'percent' }),
                    })
                  : job.status === 'processing' && done > 0
                    ? t('work.job.done', { n: done })
                    : ''}
          {left !== undefined && job.status === 'processing' && ` · ${leftWords(left)}`}
        </span>
      </p>
      {!isOver(job.status) && (
        <div className="mt-3">
          <Meter label={t('work.jobs.progress', { name: titleOf(job) })} done={done} total={total} />
        </div>
      )}
    </section>
  );
}

function Failure({ job }: { job: Job }) {
  const over = isOver(job.status);
  if (!job.error || job.status === 'completed') return null;
  return (
    <div role="alert" className="flex gap-3 rounded-md border border-danger bg-danger-soft p-4">
      <TriangleAlert size={20} aria-hidden className="mt-0.5 shrink-0 text-danger" />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">{job.error}</p>
        <p>{over ? nextStep(job) : t('work.job.next.again')}</p>
      </div>
    </div>
  );
}

/** Where what it found is looked through; undefined for other jobs. */
function clustersOf({ id, status, params }: Job): Record<string, string | undefined> | undefined {
  const { operation, kind } = params;
  return status === 'completed' && operation === 'deduplicate'
    ? { job: String(id), kind: kind === 'similar' ? 'similar' : undefined }
    : undefined;
}

function Actions({ job, onRetry }: { job: Job; onRetry: () => void }) {
  const user = useUser();
  const may = mayDecide(user, job, useEdits(job.project_id));
  const { cancel, retry } = useJobActions(job);
  const clusters = clustersOf(job);
  const over = isOver(job.status);
  const again = () => retry.mutate(undefined, { onSuccess: onRetry });
  const retries = may && ['failed', 'dead', 'cancelled'].includes(job.status);
  const stops = may && !over;
  useShortcuts([{ keys: 'r', label: t('work.job.retry'), run: again }], retries);
  useShortcuts([{ keys: 'c', label: t('work.job.cancel'), run: () => cancel.mutate() }], stops);
  return (
    <>
      {job.download_url && (
        <a href={job.download_url} download className={LINK}>
          <Download size={16} aria-hidden />
          {t('work.job.download')}
        </a>
      )}
      {clusters && (
        <Link to="/duplicates" search={clusters} className={LINK}>
          <Copy size={16} aria-hidden />
          {t('work.job.clusters')}
        </Link>
      )}
      {stops && (
        <Button
          icon={CircleStop}
          look="danger"
          busy={cancel.isPending || job.cancel_requested}
          onClick={() => cancel.mutate()}
        >
          {t('work.job.cancel')}
        </Button>
      )}
      {retries && (
        <Button icon={RotateCw} look="primary" busy={retry.isPending} onClick={again}>
          {t('work.job.retry')}
        </Button>
      )}
    </>
  );
}

export default function JobPage() {
  const { id }: { id?: string } = useParams({ strict: false });
  return <One key={id} id={Number(id)} />;
}

function One({ id }: { id: number }) {
  const {
    data: job,
    error,
    refetch,
  } = useQuery({
    queryKey: ['job', id],
    queryFn: ({ signal }) => magpie.getJob(id, signal),
    // The stream tells what changes; this is for what it does not: attempts, times, the result.
    refetchInterval: (query) => (query.state.data && isOver(query.state.data.status) ? false : 2000),
  });
  const [round, setRound] = useState(0);
  const log = useLog(id, round);
  const live = log.state;
  const ended = live !== null && isOver(live.status);
  useEffect(() => {
    if (ended) void queries.invalidateQueries({ queryKey: ['job', id] });
  }, [ended, id, live?.status]);
  // Somebody else tried it again: there is more to come.
  const open = job !== undefined && !isOver(job.status);
  const stale = open && log.over;
  useEffect(() => {
    if (!stale) return;
    const timer = setTimeout(() => setRound((n) => n + 1), 1000);
    return () => clearTimeout(timer);
  }, [stale]);
  const shown: Job | undefined =
    job && open && live && !log.over
      ? {
          ...job,
          status: isOver(live.status) ? job.status : live.status,
          progress: { done: live.done, total: live.total },
        }
      : job;
  const about = job ? aboutOf(job) : '';
  return (
    <Page
      title={job ? t('work.job.title', { name: titleOf(job), id: String(id) }) : t('work.job.single')}
      actions={shown && <Actions job={shown} onRetry={() => setRound((n) => n + 1)} />}
    >
      <nav aria-label={t('work.path')} className="-mt-4">
        <Link to="/jobs" className="text-accent underline">
          {t('work.jobs.title')}
        </Link>
        {about && <span className="ml-3 break-all text-muted">{about}</span>}
      </nav>
      {error && !shown ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !shown ? (
        <Skeleton className="h-64" />
      ) : (
        <>
          <Standing job={shown} left={log.left} />
          <Failure job={shown} />
          {error && <Trouble error={error} onRetry={() => void refetch()} />}
          <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <Log lines={log.lines} open={!isOver(shown.status)} error={log.error} name={`job-${id}.log`} />
            <div className="flex min-w-0 flex-col gap-6">
              <Members title={t('work.job.result')} value={shown.result} />
              <Facts job={shown} />
              <Members title={t('work.job.params')} value={shown.params} />
            </div>
          </div>
        </>
      )}
    </Page>
  );
}
