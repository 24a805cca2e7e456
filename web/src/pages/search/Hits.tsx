import { Fragment } from 'react';
import { ratioOf } from '@/grid/justify';
import { Thumb } from '@/grid/Picture';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import type { Hit } from './terms';

const HEIGHT = 180;

/** Rows by the browser: each picture grows by its shape. */
function One({ hit, onOpen }: { hit: Hit; onOpen: () => void }) {
  if (!hit.payload) return null; // it was not asked for
  const { width, height, title, name } = hit.payload;
  const ratio = ratioOf(width, height);
  return (
    <button
      type="button"
      onClick={onOpen}
      style={{ flexGrow: ratio, flexBasis: ratio * HEIGHT, maxWidth: ratio * HEIGHT * 1.5 }}
      className="flex min-w-0 flex-col rounded-md text-left"
    >
      <Thumb
        src={hit.preview_url}
        alt={title || name}
        className={cx('h-48 w-full rounded-md', !hit.good && 'opacity-70')}
      />
      <span className="flex w-full gap-2 py-1">
        <span className="font-medium tabular-nums">
          {number(hit.score, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
        </span>
        <span className="min-w-0 truncate text-muted" title={hit.reason}>
          {hit.reason}
        </span>
      </span>
    </button>
  );
}

/** So that the last row is not stretched. */
function Filler() {
  return <span aria-hidden style={{ flexGrow: 1000, flexBasis: 0 }} />;
}

export function Hits({ hits, onOpen }: { hits: readonly Hit[]; onOpen: (id: number) => void }) {
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
          <One hit={hit} onOpen={() => onOpen(hit.id)} />
        </Fragment>
      ))}
      <Filler />
    </div>
  );
}
