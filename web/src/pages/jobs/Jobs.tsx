/* Slow work: what runs, what waits, what went wrong, and starting an export. */
import { isOver, type Job, type JobStatus } from '@magpie/client';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Activity, ListChecks, OctagonX, PackagePlus, RotateCw, SearchX } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjectId } from '@/app/project';
import { magpie, queries, useUser } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { Pace, STATUSES, typeName, TYPES } from '@/lib/jobs';
import { useProjectName } from '@/lib/projects';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Page } from '@/ui/Page';
import { RoomyButton } from '@/ui/RoomyButton';
import { Choice } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { NewExport } from './NewExport';
import { Row } from './Row';
import { Schedules } from './Schedules';

interface JobPage {
  jobs: Job[];
  next_cursor: string | null;
}

const PAGE = 50;
const BUSY_MS = 1500;
const QUIET_MS = 6000;
const MANY = 100;

function useJobs(status: string, type: string) {
  const project_id = useProjectId();
  const query = useInfiniteQuery({
    queryKey: ['jobs', 'list', project_id, status, type],
    queryFn: ({ pageParam, signal }) =>
      magpie.json<JobPage>('GET', '/api/jobs', {
        query: {
          limit: PAGE,
          cursor: pageParam,
          status: status || undefined,
          type: type || undefined,
          project_id,
        },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: (now) => {
      const list = now.state.data?.pages.flatMap((page) => page.jobs) ?? [];
      // What goes on is looked at often, unless there is much to look at.
      return list.length <= PAGE && list.some((job) => !isOver(job.status)) ? BUSY_MS : QUIET_MS;
    },
  });
  return { ...query, list: query.data?.pages.flatMap((page) => page.jobs) };
}

function useDead() {
  const project_id = useProjectId();
  return useQuery({
    queryKey: ['jobs', 'dead', project_id],
    queryFn: ({ signal }) =>
      magpie.json<JobPage>('GET', '/api/jobs', {
        query: { status: 'dead', limit: MANY, project_id },
        signal,
      }),
    refetchInterval: QUIET_MS,
  });
}

/** Those that nobody tries any more until somebody asks for it. */
function DeadLetters({ shown, onShow }: { shown: boolean; onShow: () => void }) {
  const user = useUser();
  const may = user?.role === 'admin' || user?.role === 'operator';
  const { data } = useDead();
  const replay = useMutation({
    mutationFn: () => magpie.json<{ replayed: number }>('POST', '/api/jobs/replay', { body: {} }),
    onSuccess: ({ replayed }) => {
      toast({ text: t('work.jobs.replayed', { n: replayed }) });
      void queries.invalidateQueries({ queryKey: ['jobs'] });
    },
    onError: toastError,
  });
  const n = data?.jobs.length ?? 0;
  if (n === 0) return null;
  return (
    <section
      aria-label={t('job.dead')}
      className="flex flex-wrap items-center gap-3 rounded-md border border-danger bg-danger-soft p-3"
    >
      <OctagonX size={20} aria-hidden className="shrink-0 text-danger" />
      <p className="min-w-48 flex-1">
        <span className="font-medium">
          {n >= MANY ? t('work.jobs.deadMany', { n: MANY }) : t('work.jobs.dead', { n })}
        </span>{' '}
        {t(may ? 'work.jobs.deadHint' : 'work.jobs.deadHintUser')}
      </p>
      <div className="flex flex-wrap gap-2">
        {!shown && <Button onClick={onShow}>{t('work.jobs.showDead')}</Button>}
        {may && (
          <Button icon={RotateCw} busy={replay.isPending} onClick={() => replay.mutate()}>
            {t('work.jobs.replay')}
          </Button>
        )}
      </div>
    </section>
  );
}

export default function Jobs() {
  const [url, setUrl] = useUrl();
  const navigate = useNavigate();
  const user = useUser();
  const status = STATUSES.find((one) => one === url['status']) ?? '';
  const type = TYPES.find((one) => one === url['type']) ?? '';
  const { list, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage, dataUpdatedAt } = useJobs(
    status,
    type,
  );
  const waiting = useDead().isPending; // what stands above comes first, so that nothing moves
  const projectName = useProjectName();
  const [pace] = useState(() => new Pace());
  const [making, setMaking] = useState(false);
  const filtered = status !== '' || type !== '';
  const staff = user?.role === 'admin' || user?.role === 'operator';
  useShortcuts([
    { keys: 'n', label: t('work.jobs.export'), run: () => setMaking(true) },
    { keys: 'v', label: t('work.events.title'), run: () => void navigate({ to: '/events' }) },
  ]);
  const exporting = (
    <Button
      look="primary"
      icon={PackagePlus}
      title={`${t('work.jobs.export')} (N)`}
      onClick={() => setMaking(true)}
    >
      {t('work.jobs.export')}
    </Button>
  );
  return (
    <Page
      title={t('work.jobs.title')}
      actions={
        <>
          <RoomyButton
            icon={Activity}
            title={`${t('work.events.title')} (V)`}
            onClick={() => void navigate({ to: '/events' })}
          >
            {t('work.events.title')}
          </RoomyButton>
          {exporting}
        </>
      }
    >
      <DeadLetters shown={status === 'dead'} onShow={() => setUrl({ status: 'dead', type: undefined })} />
      <div className="flex gap-3">
        <Choice<JobStatus | ''>
          label={t('work.jobs.status')}
          value={status}
          options={[
            ['', t('work.jobs.anyStatus')],
            ...STATUSES.map((one) => [one, t(`job.${one}`)] as const),
          ]}
          onChange={(next) => setUrl({ status: next || undefined })}
          className="w-40 max-sm:flex-1"
        />
        <Choice
          label={t('work.jobs.type')}
          value={type}
          options={[['', t('work.jobs.anyType')], ...TYPES.map((one) => [one, typeName(one)] as const)]}
          onChange={(next) => setUrl({ type: next || undefined })}
          className="w-52 max-sm:flex-1"
        />
      </div>
      {error && !list ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !list || waiting ? (
        <div className="flex flex-col gap-1">
          {Array.from({ length: 4 }, (_, i) => (
            <Skeleton key={i} className="h-16" />
          ))}
        </div>
      ) : list.length > 0 ? (
        <ul aria-label={t('work.jobs.title')} className="rounded-md border border-line bg-surface">
          {list.map((job) => (
            <Row key={job.id} job={job} left={pace.left(job, dataUpdatedAt)} project={projectName} />
          ))}
        </ul>
      ) : filtered ? (
        <Empty icon={SearchX} title={t('work.jobs.noHits')} text={t('work.jobs.noHitsHint')}>
          <Button onClick={() => setUrl({ status: undefined, type: undefined })}>
            {t('work.jobs.showAll')}
          </Button>
        </Empty>
      ) : (
        <Empty icon={ListChecks} title={t('work.jobs.none')} text={t('work.jobs.noneHint')}>
          {exporting}
          <Link to="/duplicates" className="inline-flex min-h-9 items-center text-accent underline">
            {t('duplicates.title')}
          </Link>
        </Empty>
      )}
      {error && list && <Trouble error={error} onRetry={() => void refetch()} />}
      {hasNextPage && (
        <Button className="self-center" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('work.more')}
        </Button>
      )}
      {staff && list && !waiting && <Schedules />}
      {making && <NewExport onClose={() => setMaking(false)} />}
    </Page>
  );
}
