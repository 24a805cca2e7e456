/* Files on their way into a project. */
import { Link } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, Copy, RotateCw, X } from 'lucide-react';
import { useStore } from '@/lib/store';
import { bytes, number, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Meter } from '@/ui/Meter';
import { Thumb } from '@/grid/Picture';
import { again, drop, isOpen, keepBoth, sendings, type Sending } from '@/upload/assets';

const MOST_SHOWN = 50;

function State({ one }: { one: Sending }) {
  if (one.status === 'sending')
    return (
      <span className="flex w-40 items-center gap-2 max-sm:w-24">
        <span className="flex-1">
          <Meter
            label={t('upload.progress', { name: one.file.name })}
            done={one.sent}
            total={one.file.size}
          />
        </span>
        <span className="w-10 text-right text-muted tabular-nums">
          {number(one.file.size ? Math.min(1, one.sent / one.file.size) : 0, {
            style: 'percent',
            maximumFractionDigits: 0,
          })}
        </span>
      </span>
    );
  if (one.status === 'copy')
    return (
      <span className="flex min-w-0 flex-wrap items-center justify-end gap-2">
        {one.match && (
          <Link
            to={`/projects/${one.project}/assets/${one.match.id}`}
            className="flex items-center gap-2 rounded-md text-warn underline"
          >
            {t('work.project.copy')}
            <Thumb src={one.match.preview_url} alt="" className="size-9 rounded-md" />
          </Link>
        )}
        <Button onClick={() => keepBoth([one.id])}>{t('work.project.keepBoth')}</Button>
        <Button onClick={() => drop([one.id])}>{t('work.project.skip')}</Button>
      </span>
    );
  if (one.status === 'waiting') return <span className="text-muted">{t('upload.waiting')}</span>;
  if (one.status === 'failed')
    return (
      <span className="flex min-w-0 items-center gap-1 text-danger" title={one.trouble?.next}>
        <CircleAlert size={16} aria-hidden className="shrink-0" />
        <span className="min-w-0 break-words">
          {one.trouble?.what} {one.trouble?.next}
        </span>
      </span>
    );
  return (
    <span
      className={
        one.status === 'added' ? 'flex items-center gap-1 text-ok' : 'flex items-center gap-1 text-muted'
      }
    >
      {one.status === 'added' ? <CircleCheck size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      {t(`upload.${one.status}`)}
    </span>
  );
}

export function Sendings({ project }: { project: number }) {
  const list = useStore(sendings).filter((one) => one.project === project);
  if (list.length === 0) return null;
  const open = list.filter(isOpen);
  const failed = list.filter((one) => one.status === 'failed');
  const copies = list.filter((one) => one.status === 'copy');
  const done = list.filter((one) => one.status === 'added' || one.status === 'known');
  const words =
    open.length > 0
      ? t('upload.open', { n: open.length })
      : done.length > 0
        ? t('work.project.sent', { n: done.length })
        : '';
  // What needs somebody comes first, what is done last.
  const shown = [...failed, ...copies, ...open, ...done].slice(0, MOST_SHOWN);
  return (
    <section
      aria-label={t('work.project.sendings')}
      className="flex flex-col gap-2 rounded-md border border-line bg-surface p-3"
    >
      <div className="flex flex-wrap items-center gap-2">
        <p role="status" className="min-w-40 flex-1 font-medium">
          {words}
          {failed.length > 0 && ` ${t('upload.failed', { n: failed.length })}`}
          {copies.length > 0 && ` ${t('work.project.copies', { n: copies.length })}`}
        </p>
        {failed.length > 0 && (
          <Button icon={RotateCw} onClick={() => again(failed.map((one) => one.id))}>
            {t('upload.retry')}
          </Button>
        )}
        <Button onClick={() => drop((open.length > 0 ? open : list).map((one) => one.id))}>
          {t(open.length > 0 ? 'upload.cancel' : 'upload.clear')}
        </Button>
      </div>
      <ul className="max-h-64 overflow-auto">
        {shown.map((one) => (
          <li
            key={one.id}
            className="flex min-h-10 flex-wrap items-center justify-end gap-x-3 border-t border-line py-1"
          >
            <span className="min-w-40 flex-1 truncate">
              {one.asset ? (
                <Link
                  to={`/projects/${one.project}/assets/${one.asset}`}
                  className="rounded-md text-accent underline"
                >
                  {one.file.name}
                </Link>
              ) : (
                one.file.name
              )}{' '}
              <span className="text-muted">{bytes(one.file.size)}</span>
            </span>
            <State one={one} />
            {one.status !== 'copy' && (
              <IconButton
                icon={X}
                label={t('app.remove', { what: one.file.name })}
                onClick={() => drop([one.id])}
              />
            )}
          </li>
        ))}
      </ul>
      {list.length > shown.length && (
        <p className="text-muted">{t('work.project.andMore', { n: list.length - shown.length })}</p>
      )}
    </section>
  );
}
