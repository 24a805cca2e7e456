import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { CircleAlert, CircleCheck, Copy, RotateCw, X } from 'lucide-react';
import { useRef } from 'react';
import { Thumb } from '@/grid/Picture';
import { bytes, t } from '@/text';
import { IconButton } from '@/ui/Button';
import { LocalPicture } from '@/ui/LocalPicture';
import { cancel, retry, type Item } from '@/upload/queue';

const ROW = 72;

/** What the file itself looks like, before it is anywhere else. */
function Preview({ item }: { item: Item }) {
  const look = 'size-14 shrink-0 rounded-md bg-sunken object-cover';
  return item.image ? (
    <Thumb src={item.image.preview_url} alt="" className={look} />
  ) : (
    <LocalPicture file={item.file} alt="" className={look} />
  );
}

function State({ item }: { item: Item }) {
  switch (item.status) {
    case 'waiting':
      return <span className="text-muted">{t('upload.waiting')}</span>;
    case 'sending':
      return (
        <span className="flex items-center gap-2">
          <progress
            aria-label={t('upload.progress', { name: item.file.name })}
            value={item.sent}
            max={Math.max(1, item.file.size)}
            className="h-2 w-24 accent-accent"
          />
          <span className="text-muted tabular-nums max-md:hidden">
            {item.speed ? t('upload.speed', { speed: bytes(item.speed) }) : ''}
          </span>
        </span>
      );
    case 'asking':
      return <span className="font-medium text-warn">{t('gate.asks')}</span>;
    case 'skipped':
      return <span className="text-muted">{t('gate.skipped')}</span>;
    case 'added':
      return (
        <span className="flex items-center gap-1 text-ok">
          <CircleCheck size={16} aria-hidden />
          {t('upload.added')}
        </span>
      );
    case 'known':
      return (
        <span className="flex items-center gap-1 text-muted">
          <Copy size={16} aria-hidden />
          {t('upload.known')}
        </span>
      );
    case 'failed':
      return (
        <span className="flex min-w-0 items-center gap-1 text-danger">
          <CircleAlert size={16} aria-hidden className="shrink-0" />
          <span className="truncate" title={item.trouble?.next}>
            {item.trouble?.what}
          </span>
        </span>
      );
  }
}

function Row({ item }: { item: Item }) {
  return (
    <>
      <Preview item={item} />
      <div className="min-w-0 flex-1">
        {item.image ? (
          <Link to={`/images/${item.image.id}`} className="block truncate rounded-md font-medium underline">
            {item.file.name}
          </Link>
        ) : (
          <p className="truncate font-medium">{item.file.name}</p>
        )}
        <p className="truncate text-muted">
          {bytes(item.file.size)}
          {item.path !== item.file.name && ` · ${item.path.slice(0, -item.file.name.length - 1)}`}
        </p>
      </div>
      <div className="min-w-0 max-md:max-w-32">
        <State item={item} />
      </div>
      {item.status === 'failed' && (
        <IconButton
          icon={RotateCw}
          label={t('upload.retryOne', { name: item.file.name })}
          onClick={() => retry([item.id])}
        />
      )}
      <IconButton
        icon={X}
        label={t('app.remove', { what: item.file.name })}
        onClick={() => cancel([item.id])}
      />
    </>
  );
}

/** Thousands of rows, of which some are there. */
export function List({ items }: { items: readonly Item[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  return (
    <div
      ref={scroller}
      tabIndex={0}
      role="group"
      aria-label={t('upload.files')}
      className="max-h-[60dvh] overflow-auto rounded-md border border-line bg-surface"
    >
      <ul className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const item = items[row.index];
          return item ? (
            <li
              key={item.id}
              style={{ transform: `translateY(${row.start}px)`, height: ROW }}
              className="absolute flex w-full items-center gap-3 border-b border-line px-2"
            >
              <Row item={item} />
            </li>
          ) : null;
        })}
      </ul>
    </div>
  );
}
