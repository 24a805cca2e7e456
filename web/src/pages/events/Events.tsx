/* What happens, as it happens. */
import type { MagpieEvent } from '@magpie/client';
import { Link } from '@tanstack/react-router';
import { Activity, ArrowUp, Briefcase, Image, Pause, Play, Radio } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjectId } from '@/app/project';
import { useUser } from '@/app/session';
import { Thumb } from '@/grid/Picture';
import type { Cell } from '@/grid/useCells';
import { typeName } from '@/lib/jobs';
import { useProjectName } from '@/lib/projects';
import { useUrl } from '@/lib/url';
import { date, t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Page } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { placeOf, wordsOf } from './events';
import { useEvents } from './useEvents';
import { useThumbs } from './useThumbs';

const KINDS = [
  { value: '', key: 'work.events.all' },
  { value: 'image.', key: 'work.events.pictures' },
  { value: 'job.', key: 'work.events.jobs' },
] as const;

const idOf = ({ type, subject }: MagpieEvent) =>
  type.startsWith('image.') && /^[1-9]\d*$/.test(subject) ? Number(subject) : 0;

function Sign({ event, cell }: { event: MagpieEvent; cell: Cell | null | undefined }) {
  if (cell) return <Thumb src={cell.preview_url} alt="" className="size-10 shrink-0 rounded-md" />;
  const job = event.type.startsWith('job.');
  const Icon = job ? Briefcase : event.type.startsWith('image.') ? Image : Activity;
  const bad = event.type === 'job.failed' || event.type === 'job.dead';
  return (
    <span
      className={cx(
        'flex size-10 shrink-0 items-center justify-center rounded-md bg-sunken',
        bad ? 'text-danger' : 'text-muted',
      )}
    >
      <Icon size={18} aria-hidden />
    </span>
  );
}

function jobType({ type, data }: MagpieEvent): string {
  if (!type.startsWith('job.') || typeof data !== 'object' || data === null || !('type' in data)) return '';
  return typeof data.type === 'string' ? typeName(data.type) : '';
}

function Row({
  event,
  cell,
  project,
}: {
  event: MagpieEvent;
  cell: Cell | null | undefined;
  project: (id: number) => string;
}) {
  const user = useUser();
  const place = placeOf(event);
  const words = wordsOf(event);
  const about = cell?.name ?? jobType(event);
  return (
    <li className="flex min-h-14 items-center gap-3 border-b border-line px-3 py-1.5 [content-visibility:auto] last:border-0">
      <Sign event={event} cell={cell} />
      <div className="min-w-0 flex-1">
        {place ? (
          <Link to={place} className="rounded-md font-medium break-words hover:underline">
            {words}
          </Link>
        ) : (
          <span className="font-medium break-words">{words}</span>
        )}
        <p className="truncate text-muted">
          {about}
          {about && event.project_id > 0 && ' · '}
          {event.project_id > 0 && (
            <Link to={`/projects/${event.project_id}`} className="rounded-md hover:underline">
              {project(event.project_id)}
            </Link>
          )}
          {event.user_id > 0 && event.user_id === user?.id && ` · ${t('work.you')}`}
        </p>
      </div>
      {event.at && (
        <time
          dateTime={event.at}
          title={date(event.at)}
          className="shrink-0 text-right text-muted tabular-nums"
        >
          {date(event.at, { timeStyle: 'medium' })}
          <span className="block text-xs">{date(event.at, { day: 'numeric', month: 'short' })}</span>
        </time>
      )}
    </li>
  );
}

export default function Events() {
  const [url, setUrl] = useUrl();
  const project = useProjectId();
  const projectName = useProjectName();
  const kind = KINDS.find((one) => one.value === url['type'])?.value ?? '';
  const [paused, setPaused] = useState(false);
  const { list, held, ready, more, error, loading, older, again } = useEvents(kind, project, paused);
  const thumbs = useThumbs([...new Set(list.map(idOf))].filter(Boolean));
  const toggle = () => setPaused(!paused);
  useShortcuts([{ keys: 'p', label: t('work.events.pause'), run: toggle }]);
  return (
    <Page
      title={t('work.events.title')}
      narrow
      actions={
        <Button
          icon={paused ? Play : Pause}
          aria-pressed={paused}
          title={`${t(paused ? 'work.events.goOn' : 'work.events.pause')} (P)`}
          onClick={toggle}
        >
          {t(paused ? 'work.events.goOn' : 'work.events.pause')}
        </Button>
      }
    >
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Segments
          label={t('work.events.kind')}
          value={kind}
          options={KINDS.map(({ value, key }) => ({ value, text: t(key) }))}
          onChange={(next) => setUrl({ type: next || undefined }, true)}
        />
        <p role="status" className={cx('flex items-center gap-2', paused ? 'text-warn' : 'text-muted')}>
          {paused ? <Pause size={16} aria-hidden /> : <Radio size={16} aria-hidden className="text-ok" />}
          {paused ? t('work.events.paused') : t('work.events.live')}
        </p>
      </div>
      {held.length > 0 && (
        <Button look="primary" icon={ArrowUp} className="self-center" onClick={() => setPaused(false)}>
          {t('work.events.held', { n: held.length })}
        </Button>
      )}
      {error !== null && <Trouble error={error} onRetry={again} />}
      {!ready ? (
        <div className="flex flex-col gap-1">
          {Array.from({ length: 6 }, (_, i) => (
            <Skeleton key={i} className="h-14" />
          ))}
        </div>
      ) : list.length > 0 ? (
        <ol aria-label={t('work.events.title')} className="rounded-md border border-line bg-surface">
          {list.map((event) => (
            <Row key={event.id} event={event} cell={thumbs.get(idOf(event))} project={projectName} />
          ))}
        </ol>
      ) : (
        error === null && (
          <Empty icon={Activity} title={t('work.events.none')} text={t('work.events.noneHint')}>
            <Link to="/upload" className="inline-flex min-h-9 items-center text-accent underline">
              {t('nav.upload')}
            </Link>
          </Empty>
        )
      )}
      {list.length > 0 && more && (
        <Button className="self-center" busy={loading} onClick={() => void older()}>
          {t('work.events.older')}
        </Button>
      )}
    </Page>
  );
}
