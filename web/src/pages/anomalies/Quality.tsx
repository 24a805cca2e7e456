/* Pictures with a fault: which, and how many. */
import type { components } from '@magpie/client';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BadgeCheck } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useProjectId } from '@/app/project';
import { magpie } from '@/app/session';
import { Thumb } from '@/grid/Picture';
import { useUrl } from '@/lib/url';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Viewer } from '@/viewer/Viewer';
import { Tiles } from '@/ui/Tiles';

const ISSUES = ['blurred', 'too_dark', 'too_bright', 'low_contrast', 'blank'] as const;
type Issue = (typeof ISSUES)[number];
type Image = components['schemas']['Image'];
interface Answer {
  images: Image[];
  counts: Record<Issue, number>;
  next_cursor: string | null;
}

function useFaults(issue: Issue | 'any', project: number | undefined) {
  const query = useInfiniteQuery({
    queryKey: ['quality', issue, project],
    queryFn: ({ pageParam, signal }) =>
      magpie.json<Answer>('GET', '/api/qa/quality', {
        query: { issue, project_id: project, cursor: pageParam || undefined, limit: 200 },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
  return {
    ...query,
    images: query.data?.pages.flatMap((page) => page.images) ?? [],
    counts: query.data?.pages[0]?.counts,
  };
}

function Choice({
  text,
  count,
  chosen,
  onClick,
}: {
  text: string;
  count?: number | undefined;
  chosen: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={chosen}
      onClick={onClick}
      className={cx(
        'inline-flex min-h-9 items-center gap-2 rounded-md border px-3 pointer-coarse:min-h-11',
        chosen ? 'border-accent bg-accent-soft font-medium' : 'border-line bg-surface hover:bg-sunken',
      )}
    >
      {text}
      {count !== undefined && <span className="text-muted tabular-nums">{number(count)}</span>}
    </button>
  );
}

export function Quality() {
  const [url, setUrl] = useUrl();
  const issue = ISSUES.find((one) => one === url['issue']) ?? 'any';
  const { images, counts, error, refetch, isPending, hasNextPage, isFetching, fetchNextPage } = useFaults(
    issue,
    useProjectId(),
  );
  const [active, setActive] = useState(0);
  const open = Number(url['picture'] ?? 0);
  const near = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const show = (index: number) => {
    const image = images[index];
    if (!image) return;
    setActive(index);
    setUrl({ picture: String(image.id) }, open > 0);
  };
  const total = issue === 'any' ? images.length + (hasNextPage ? 1 : 0) : (counts?.[issue] ?? images.length);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 md:px-6">
        <Choice
          text={t('anomalies.anyIssue')}
          chosen={issue === 'any'}
          onClick={() => setUrl({ issue: undefined }, true)}
        />
        {ISSUES.map((one) => (
          <Choice
            key={one}
            text={t(`issue.${one}`)}
            count={counts?.[one]}
            chosen={issue === one}
            onClick={() => setUrl({ issue: one }, true)}
          />
        ))}
        {images.length > 0 && (
          <Link
            to="/library"
            search={{ issue }}
            className="ml-auto inline-flex min-h-9 items-center rounded-md text-accent underline"
          >
            {t('anomalies.inLibrary')}
          </Link>
        )}
      </div>
      {error ? (
        <div className="p-4 md:p-6">
          <Trouble error={error} onRetry={() => void refetch()} />
        </div>
      ) : isPending ? (
        <div className="grid grid-cols-2 gap-3 p-4 md:grid-cols-6 md:px-6">
          {Array.from({ length: 12 }, (_, i) => (
            <Skeleton key={i} className="aspect-square" />
          ))}
        </div>
      ) : images.length === 0 ? (
        <Empty icon={BadgeCheck} title={t('anomalies.noFaults')} text={t('anomalies.noFaultsHint')} />
      ) : (
        <Tiles<Image>
          key={issue}
          label={t('anomalies.faults')}
          items={images}
          total={total}
          idOf={(one) => one.id}
          nameOf={(one) => `${one.title || one.name}, ${one.issues.map((i) => t(`issue.${i}`)).join(', ')}`}
          picture={(one) => <Thumb src={one.preview_url} alt="" className="size-full" />}
          caption={(one) => (
            <p className="truncate py-1 text-muted">{one.issues.map((i) => t(`issue.${i}`)).join(', ')}</p>
          )}
          captionHeight={28}
          active={Math.min(active, images.length - 1)}
          onActive={setActive}
          onOpen={show}
          onNear={near}
        />
      )}
      {open > 0 && (
        <Viewer
          id={open}
          onClose={() => setUrl({ picture: undefined })}
          onOpen={(id) => setUrl({ picture: String(id) }, true)}
          onStep={(by) => show(images.findIndex((one) => one.id === open) + by)}
        />
      )}
    </>
  );
}
