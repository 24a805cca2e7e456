import { Ban, Plus } from 'lucide-react';
import { Fragment } from 'react';
import { ratioOf } from '@/grid/justify';
import { Thumb } from '@/grid/Picture';
import { number, t } from '@/text';
import { IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import type { Hit } from './terms';

const HEIGHT = 180;

/** Which part of it matched how well. */
function partsOf({ picture, words, reason }: Hit): string {
  const figure = (value: number) => number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return [
    reason,
    picture === null ? '' : t('hit.picture', { score: figure(picture) }),
    words === null ? '' : t('hit.words', { score: figure(words) }),
  ]
    .filter(Boolean)
    .join(' · ');
}

interface OneProps {
  hit: Hit;
  onOpen: () => void;
  onMore: (not: boolean) => void;
}

/** Rows by the browser: each picture grows by its shape. */
function One({ hit, onOpen, onMore }: OneProps) {
  if (!hit.payload) return null; // it was not asked for
  const { width, height, title, name } = hit.payload;
  const ratio = ratioOf(width, height);
  const call = title || name;
  return (
    <div
      style={{ flexGrow: ratio, flexBasis: ratio * HEIGHT, maxWidth: ratio * HEIGHT * 1.5 }}
      className="group relative min-w-0"
    >
      <button type="button" onClick={onOpen} className="flex w-full min-w-0 flex-col rounded-md text-left">
        <Thumb
          src={hit.preview_url}
          alt={call}
          className={cx('h-48 w-full rounded-md', !hit.good && 'opacity-70')}
        />
        <span className="flex w-full gap-2 py-1" title={partsOf(hit)}>
          <span className="font-medium tabular-nums">
            {number(hit.score, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
          </span>
          <span className="min-w-0 truncate text-muted">{hit.reason}</span>
        </span>
      </button>
      <span className="absolute top-1 right-1 flex gap-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
        <IconButton
          icon={Plus}
          size={16}
          label={t('hit.more', { name: call })}
          className="size-8 border border-line bg-surface pointer-coarse:size-9"
          onClick={() => onMore(false)}
        />
        <IconButton
          icon={Ban}
          size={16}
          label={t('hit.less', { name: call })}
          className="size-8 border border-line bg-surface pointer-coarse:size-9"
          onClick={() => onMore(true)}
        />
      </span>
    </div>
  );
}

/** So that the last row is not stretched. */
function Filler() {
  return <span aria-hidden style={{ flexGrow: 1000, flexBasis: 0 }} />;
}

export function Hits({
  hits,
  onOpen,
  onMore,
}: {
  hits: readonly Hit[];
  onOpen: (id: number) => void;
  onMore: (id: number, not: boolean) => void;
}) {
  const line = hits.findIndex((hit) => !hit.good);
  return (
    <div className="flex flex-wrap gap-x-2 gap-y-1">
      {hits.map((hit, i) => (
        <Fragment key={hit.id}>
          {i === line && i > 0 && (
            <>
              <Filler />
              <p className="flex w-full items-center gap-3 py-3 text-muted before:h-px before:flex-1 before:bg-line-strong after:h-px after:flex-1 after:bg-line-strong">
                {t('search.line')}
              </p>
            </>
          )}
          <One hit={hit} onOpen={() => onOpen(hit.id)} onMore={(not) => onMore(hit.id, not)} />
        </Fragment>
      ))}
      <Filler />
    </div>
  );
}
