/* Pictures that are there more than once: found, looked at, decided, planned, carried out, taken back. What is looked
 * at is in the address: kind, threshold, job, the cluster, the plan. */
import { MagpieError } from '@magpie/client';
import { useMutation } from '@tanstack/react-query';
import { CopyCheck, History, ListChecks, RefreshCw, Sparkles } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { useProjectId } from '@/app/project';
import { magpie, mayWrite, useUser } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { useUrl } from '@/lib/url';
import { bytes, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Chip } from '@/ui/Chip';
import { Empty } from '@/ui/Empty';
import { Meter } from '@/ui/Meter';
import { useTitle } from '@/ui/Page';
import { RoomyButton } from '@/ui/RoomyButton';
import { RangeField } from '@/ui/RangeField';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { lookAgain, MOST_CLUSTERS, rememberedJob, rememberJob, useClusters, type Question } from './clusters';
import { choices, sumOf, type Cluster, type Decision, type Kind } from './decide';
import { PlanView } from './PlanView';
import { Plans } from './Plans';
import { Review } from './Review';
import { Rules } from './Rules';
import { Searching } from './Searching';
import { useDecide } from './useDecide';
import { Wall } from './Wall';

function useQuestion(): Question {
  const [url] = useUrl();
  const project = useProjectId();
  const threshold = Number(url['threshold'] ?? 0);
  return {
    kind: url['kind'] === 'similar' ? 'similar' : 'same',
    threshold: threshold > 0 && threshold <= 1 ? threshold : 0,
    where: url['where'] ?? '',
    project,
  };
}

/** Loads on until all are there, where `wanted`. */
function useAll(query: ReturnType<typeof useClusters>, wanted: boolean): void {
  const { hasNextPage, isFetching, isError, fetchNextPage, clusters } = query;
  const more = wanted && hasNextPage && !isFetching && !isError && clusters.length < MOST_CLUSTERS;
  useEffect(() => {
    if (more) void fetchNextPage();
  }, [more, fetchNextPage]);
}

function Threshold({
  kind,
  shown,
  onChange,
}: {
  kind: Kind;
  shown: number;
  onChange: (value: number) => void;
}) {
  const [value, setValue] = useState(shown);
  const [from, setFrom] = useState(shown);
  if (from !== shown) {
    setFrom(shown);
    setValue(shown);
  }
  return (
    <RangeField
      label={kind === 'same' ? t('duplicates.threshold') : t('duplicates.thresholdSimilar')}
      shown={number(value, { style: 'percent' })}
      min={0.3}
      max={0.99}
      step={0.01}
      value={value}
      onChange={setValue}
      onSettle={(next) => {
        if (Math.abs(next - shown) > 0.001) onChange(next);
      }}
      className="w-56 max-md:w-full"
    />
  );
}

function Waiting() {
  return (
    <div className="flex flex-col gap-4 px-4 py-2 md:px-6">
      {[0, 1, 2, 3].map((i) => (
        <Skeleton key={i} className="h-42" />
      ))}
    </div>
  );
}

export default function Duplicates() {
  const [url, setUrl] = useUrl();
  if (url['plan'])
    return (
      <PlanView key={url['plan']} id={Number(url['plan'])} onClose={() => setUrl({ plan: undefined })} />
    );
  if (url['view'] === 'plans') return <Plans onOpen={(id) => setUrl({ plan: String(id) })} />;
  return <Clusters />;
}

function usePlanDraft(onMade: (id: number) => void) {
  return useMutation({
    mutationFn: (clusters: ReturnType<typeof choices>) =>
      magpie.json<{ plan_id: number }>('POST', '/api/dedup/plans', { body: { clusters } }),
    onSuccess: ({ plan_id }) => onMade(plan_id),
    onError: toastError,
  });
}

function Clusters() {
  const [url, setUrl] = useUrl();
  const question = useQuestion();
  const { kind } = question;
  const may = mayWrite(useUser());
  const job = Number(url['job'] ?? 0) || rememberedJob(question);
  const query = useClusters(question, job);
  const { clusters, first, refetch, fetchNextPage, hasNextPage, isFetching } = query;
  const decide = useDecide(question);
  const [active, setActive] = useState(0);
  const [rules, setRules] = useState(false);
  const plan = usePlanDraft((id) => setUrl({ plan: String(id) }));
  useTitle(t('duplicates.title'));

  // A job was made, or there is one: the address and this browser keep it.
  const running = query.job;
  useEffect(() => {
    if (running && running !== job) {
      rememberJob(question, running);
      setUrl({ job: String(running) }, true);
    }
  }, [running, job, question, setUrl]);
  const again = () => {
    rememberJob(question, 0);
    setUrl({ job: undefined, c: undefined, other: undefined }, true);
    lookAgain();
  };

  // What was found once is cleaned away some day.
  const gone = query.error instanceof MagpieError && query.error.status === 404 && !url['job'] && job > 0;
  useEffect(() => {
    if (!gone) return;
    rememberJob(question, 0);
    lookAgain();
  }, [gone, question]);

  const total = first?.total ?? 0;
  const remembered = Object.values(decide.decisions).filter((one) => one.state !== 'open').length;
  const decided = clusters.filter((one) => decide.of(one).state !== 'open').length;
  const wanted = Number(url['c'] ?? 0);
  const at = wanted ? clusters.findIndex((one) => one.members.some((member) => member.id === wanted)) : -1;
  // Decisions of before, the cluster of the address, or all for a rule.
  useAll(query, rules || (remembered > decided && total > 0) || (wanted > 0 && at < 0));
  const near = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  const open = (cluster: Cluster, member?: number) => {
    const { keep } = decide.of(cluster);
    setActive(clusters.indexOf(cluster));
    setUrl({
      c: String(cluster.members[0]?.id),
      other: member && member !== keep ? String(member) : undefined,
    });
  };
  const close = () => {
    if (at >= 0) setActive(at);
    setUrl({ c: undefined, other: undefined });
  };
  const step = (to: 1 | -1 | 'open') => {
    const next =
      to === 'open' ? clusters.findIndex((one, i) => i > at && decide.of(one).state === 'open') : at + to;
    const cluster = clusters[next];
    if (next >= clusters.length - 3) near();
    if (cluster) {
      setActive(next);
      setUrl({ c: String(cluster.members[0]?.id), other: undefined }, true);
    } else if (to === 'open') {
      close();
      toast({ text: t('duplicates.throughAll') });
    }
  };
  const shown = clusters[at];
  if (shown)
    return (
      <Review
        key={shown.key}
        cluster={shown}
        place={at + 1}
        total={total}
        decide={decide}
        onStep={step}
        onClose={close}
      />
    );

  const chosen = choices(clusters, kind, decide.decisions);
  const sum = sumOf(clusters, (one) => {
    const decision = decide.of(one);
    return decision.state === 'accepted' ? decision : null;
  });
  const byRule = (patch: Record<string, Decision>) => {
    setRules(false);
    const undo = decide.set(patch);
    toast({
      text: t('duplicates.rule.done', { n: Object.keys(patch).length }),
      action: { label: t('app.undo'), run: undo },
      lasts: 10_000,
    });
  };
  const idle = first !== undefined && clusters.length > 0;
  return (
    <div className="flex h-full flex-col">
      <header className="flex flex-col gap-3 p-4 pb-2 md:px-6 md:pt-6">
        <div className="flex flex-wrap items-center gap-3">
          <h1 className="text-xl font-semibold">{t('duplicates.title')}</h1>
          <Segments<Kind>
            label={t('duplicates.kind.label')}
            value={kind}
            options={[
              { value: 'same', text: t('duplicates.kind.same') },
              { value: 'similar', text: t('duplicates.kind.similar') },
            ]}
            onChange={(next) =>
              setUrl({ kind: next === 'same' ? undefined : next, threshold: undefined, job: undefined })
            }
          />
          <div className="ml-auto flex flex-wrap gap-2">
            {may && idle && (
              <RoomyButton icon={Sparkles} onClick={() => setRules(true)}>
                {t('duplicates.rule.open')}
              </RoomyButton>
            )}
            <RoomyButton icon={History} onClick={() => setUrl({ view: 'plans' })}>
              {t('duplicates.plan.list')}
            </RoomyButton>
            <RoomyButton icon={RefreshCw} onClick={again} disabled={isFetching}>
              {t('duplicates.again')}
            </RoomyButton>
          </div>
        </div>
        {first && (
          <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-2">
            <div className="min-w-0 flex-1 basis-60">
              <p>
                <span className="font-medium">{t('duplicates.clusterCount', { n: total })}</span>
                {first.bytes_saved > 0 && kind === 'same' && (
                  <span className="text-muted">
                    {' '}
                    · {t('duplicates.upTo', { bytes: bytes(first.bytes_saved) })}
                  </span>
                )}
                {idle && (
                  <span className="text-muted"> · {t('duplicates.decided', { n: decided, total })}</span>
                )}
              </p>
              {first.not_compared > 0 && (
                <p className="text-sm text-warn" role="status">
                  {t('duplicates.notCompared', { n: first.not_compared })}
                </p>
              )}
              {idle && (
                <div className="mt-2 max-w-md">
                  <Meter label={t('duplicates.reviewed')} done={decided} total={total} />
                </div>
              )}
            </div>
            <Threshold
              kind={kind}
              shown={first.threshold}
              onChange={(threshold) => setUrl({ threshold: threshold.toFixed(2), job: undefined })}
            />
          </div>
        )}
        {question.where && (
          <div>
            <Chip text={question.where} onRemove={() => setUrl({ where: undefined, job: undefined })} />
          </div>
        )}
      </header>
      {query.error ? (
        <div className="p-4 md:p-6">
          <Trouble error={query.error} onRetry={again} />
        </div>
      ) : running ? (
        <Searching key={running} job={running} onOver={() => void refetch()} />
      ) : !first ? (
        <Waiting />
      ) : clusters.length === 0 && !hasNextPage ? (
        <Empty
          icon={CopyCheck}
          title={kind === 'same' ? t('duplicates.none') : t('duplicates.noneSimilar')}
          text={t('duplicates.noneHint')}
        >
          {kind === 'same' && (
            <Button onClick={() => setUrl({ kind: 'similar', threshold: undefined, job: undefined })}>
              {t('duplicates.trySimilar')}
            </Button>
          )}
        </Empty>
      ) : (
        <Wall
          clusters={clusters}
          total={Math.max(total, clusters.length)}
          decide={decide}
          active={Math.min(active, Math.max(0, clusters.length - 1))}
          onActive={setActive}
          onOpen={open}
          onNear={near}
        />
      )}
      {sum.clusters > 0 && may && (
        <footer className="flex flex-wrap items-center justify-end gap-3 border-t border-line bg-surface px-4 py-2 md:px-6">
          <p role="status" className="mr-auto">
            {t('duplicates.rule.clusters', { n: sum.clusters })},{' '}
            {t('duplicates.rule.result', { n: sum.pictures, bytes: bytes(sum.bytes) })}
          </p>
          <Button
            look="primary"
            icon={ListChecks}
            busy={plan.isPending}
            onClick={() => plan.mutate(chosen.slice(0, MOST_CLUSTERS))}
          >
            {t('duplicates.plan.make')}
          </Button>
        </footer>
      )}
      {rules && first && (
        <Rules
          clusters={clusters}
          total={hasNextPage ? Math.min(total, MOST_CLUSTERS) : clusters.length}
          threshold={first.threshold}
          decide={decide}
          onAccept={byRule}
          onClose={() => setRules(false)}
        />
      )}
    </div>
  );
}
