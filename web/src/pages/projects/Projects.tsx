/* The projects that somebody reaches, as cards: what each holds, how it grows, and what can be done with it. */
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import {
  Archive,
  ArchiveRestore,
  Ellipsis,
  FolderOpen,
  FolderPlus,
  FolderTree,
  Images,
  Trash2,
} from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { chooseProject } from '@/app/project';
import { magpie, mayWrite, useUser } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { changeProject, listKey, mayManage, type Project, type ProjectPage } from '@/lib/projects';
import { useUrl } from '@/lib/url';
import { ago, date, number, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Menu, MenuItem, MenuLine } from '@/ui/Menu';
import { Page } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Glimpse } from './Glimpse';
import { NewProject } from './NewProject';
import { RemoveProject } from './RemoveProject';

const SHOWN = ['active', 'archived', 'all'] as const;
type Shown = (typeof SHOWN)[number];
const DAYS = 30;

/** How many pictures came into each project of late: by project, a number for each day. */
function useGrowth(): ReadonlyMap<number, readonly number[]> | undefined {
  const [days] = useState(() =>
    Array.from({ length: DAYS }, (_, i) =>
      new Date(Date.now() - (DAYS - 1 - i) * 86_400_000).toISOString().slice(0, 10),
    ),
  );
  return useQuery({
    queryKey: ['stats', 'growth', 'projects', days[0]],
    queryFn: ({ signal }) =>
      magpie.json<{ days: { day: string; project_id: number; value: number }[] }>(
        'GET',
        '/api/analytics/daily',
        { query: { from: days[0], to: days.at(-1), name: 'image.added' }, signal },
      ),
    select: (answer) => {
      const map = new Map<number, number[]>();
      for (const { day, project_id, value } of answer.days) {
        const row = map.get(project_id) ?? Array.from({ length: DAYS }, () => 0);
        const at = days.indexOf(day);
        if (at >= 0) row[at] = value;
        map.set(project_id, row);
      }
      return map;
    },
  }).data;
}

function Growth({ values }: { values: readonly number[] | undefined }) {
  const sum = values?.reduce((a, b) => a + b, 0) ?? 0;
  const most = Math.max(1, ...(values ?? []));
  const label = t('work.projects.growth', { n: sum, days: DAYS });
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${DAYS * 4} 24`}
      preserveAspectRatio="none"
      className="h-6 w-24 shrink-0"
    >
      <title>{label}</title>
      {Array.from({ length: DAYS }, (_, i) => {
        const value = values?.[i] ?? 0;
        const height = Math.max(1, (value / most) * 24);
        return (
          <rect
            key={i}
            x={i * 4}
            y={24 - height}
            width={3}
            height={height}
            className={value ? 'fill-accent' : 'fill-line-strong'}
          />
        );
      })}
    </svg>
  );
}

function Actions({ project, onRemove }: { project: Project; onRemove: () => void }) {
  const navigate = useNavigate();
  const user = useUser();
  const archived = project.status === 'archived';
  const change = useMutation({
    mutationFn: (status: Project['status']) => changeProject(project, { status }),
    onSuccess: (now, status) =>
      toast({
        text: t(status === 'archived' ? 'work.projects.isArchived' : 'work.projects.isActive', {
          name: project.name,
        }),
        action: {
          label: t('app.undo'),
          run: () =>
            void changeProject(now, { status: status === 'active' ? 'archived' : 'active' }).catch(
              toastError,
            ),
        },
      }),
    onError: toastError,
  });
  return (
    <Menu
      trigger={
        <IconButton
          icon={Ellipsis}
          label={t('work.projects.actions', { name: project.name })}
          className="relative z-10"
        />
      }
    >
      <MenuItem icon={FolderOpen} onSelect={() => void navigate({ to: `/projects/${project.id}` })}>
        {t('work.projects.open')}
      </MenuItem>
      <MenuItem
        icon={Images}
        onSelect={() => {
          chooseProject(project.id);
          void navigate({ to: '/library' });
        }}
      >
        {t('work.projects.pictures')}
      </MenuItem>
      {mayManage(user, project) && (
        <>
          <MenuLine />
          <MenuItem
            icon={archived ? ArchiveRestore : Archive}
            onSelect={() => change.mutate(archived ? 'active' : 'archived')}
          >
            {t(archived ? 'work.projects.activate' : 'work.projects.archive')}
          </MenuItem>
          {!project.is_default && (
            <MenuItem icon={Trash2} danger onSelect={onRemove}>
              {t('work.projects.remove')}
            </MenuItem>
          )}
        </>
      )}
    </Menu>
  );
}

function Card({
  project,
  growth,
  onRemove,
}: {
  project: Project;
  growth: readonly number[] | undefined;
  onRemove: () => void;
}) {
  const archived = project.status === 'archived';
  return (
    <li
      className={cx(
        'relative flex min-w-0 flex-col rounded-md border border-line bg-surface transition-colors hover:border-line-strong',
        'has-[a:focus-visible]:outline-2 has-[a:focus-visible]:outline-accent',
      )}
    >
      <Glimpse project={project.id} faded={archived} />
      <div className="flex min-w-0 flex-1 flex-col gap-2 p-4">
        <div className="flex items-start gap-2">
          <h2 className="min-w-0 flex-1 font-semibold break-words">
            <Link
              to={`/projects/${project.id}`}
              className="outline-none after:absolute after:inset-0 after:rounded-md"
            >
              {project.name}
            </Link>
          </h2>
          <div className="-my-1.5 -mr-2">
            <Actions project={project} onRemove={onRemove} />
          </div>
        </div>
        {project.description && <p className="line-clamp-2 text-muted">{project.description}</p>}
        <div className="mt-auto flex items-end justify-between gap-3 pt-2">
          <p className="min-w-0 text-muted">
            <span className="font-medium text-text">{t('work.projects.assets', { n: project.assets })}</span>
            {project.role && ` · ${t(`work.role.${project.role}`)}`}
            {archived && ` · ${t('work.projects.archived')}`}
            {project.is_default && ` · ${t('work.projects.default')}`}
            {project.updated_at && (
              <span className="block" title={date(project.updated_at)}>
                {t('work.projects.changed', { when: ago(project.updated_at) })}
              </span>
            )}
          </p>
          <Growth values={growth} />
        </div>
      </div>
    </li>
  );
}

function useProjectList(shown: Shown) {
  const query = useInfiniteQuery({
    queryKey: listKey(shown),
    queryFn: ({ pageParam, signal }) =>
      magpie.json<ProjectPage>('GET', '/api/projects', {
        query: { status: shown, limit: 60, cursor: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  // One that was just archived is gone from here before the service has said so.
  const list = query.data?.pages
    .flatMap((page) => page.projects)
    .filter((one) => shown === 'all' || one.status === shown);
  return { ...query, list };
}

export default function Projects() {
  const [url, setUrl] = useUrl();
  const user = useUser();
  const shown = SHOWN.find((one) => one === url['status']) ?? 'active';
  const { list, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useProjectList(shown);
  const growth = useGrowth();
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<Project | null>(null);
  const may = mayWrite(user);
  useShortcuts([{ keys: 'n', label: t('work.projects.make'), run: () => setMaking(true) }], may);
  const make = (
    <Button
      look="primary"
      icon={FolderPlus}
      onClick={() => setMaking(true)}
      title={`${t('work.projects.make')} (N)`}
    >
      {t('work.projects.make')}
    </Button>
  );
  return (
    <Page title={t('work.projects.title')} actions={may && make}>
      <div>
        <Segments<Shown>
          label={t('work.projects.which')}
          value={shown}
          options={SHOWN.map((value) => ({ value, text: t(`work.projects.${value}`) }))}
          onChange={(next) => setUrl({ status: next === 'active' ? undefined : next }, true)}
        />
      </div>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !list ? (
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
          {Array.from({ length: 3 }, (_, i) => (
            <Skeleton key={i} className="h-56" />
          ))}
        </div>
      ) : list.length === 0 ? (
        <Empty
          icon={FolderTree}
          title={t(shown === 'archived' ? 'work.projects.noneArchived' : 'work.projects.none')}
          text={t(
            shown === 'archived'
              ? 'work.projects.noneArchivedHint'
              : may
                ? 'work.projects.noneHint'
                : 'work.projects.noneShared',
          )}
        >
          {may && shown !== 'archived' && make}
        </Empty>
      ) : (
        <ul className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
          {list.map((project) => (
            <Card
              key={project.id}
              project={project}
              growth={growth?.get(project.id)}
              onRemove={() => setRemoving(project)}
            />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <Button className="self-center" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('work.more')}
        </Button>
      )}
      {list && list.length > 1 && (
        <p className="text-muted">
          {t('work.projects.sum', {
            n: list.length,
            assets: number(list.reduce((sum, one) => sum + one.assets, 0)),
          })}
        </p>
      )}
      {making && <NewProject onClose={() => setMaking(false)} />}
      {removing && <RemoveProject project={removing} onClose={() => setRemoving(null)} />}
    </Page>
  );
}
