import { Fragment } from 'react';
import { ratioOf } from '@/grid/justify';
import { Thumb } from '@/grid/Picture';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import type { Hit } from './terms';

const HEIGHT = 180;

/** Rows by the browser: each picture grows by its shape. */
function One({ hit, onOpen }: { hit: Hit; onOpen: () => void }) {
  const { width, height, title, name } = hit.payload;
  const ratio = ratioOf(width, height);
  return (
    <button
      type="button"
      onClick={onOpen}
      style={{ flexGrow: ratio, flexBasis: ratio * HEIGHT }}
      className={cx('flex min-w-0 flex-col rounded-md text-left', !hit.good && 'opacity-80')}
    >
      <Thumb src={hit.preview_url} alt={title || name} className="h-48 w-full rounded-md" />
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

export function Hits({ hits, onOpen }: { hits: readonly Hit[]; onOpen: (id: number) => void }) {
  const line = hits.findIndex((hit) => !hit.good);
  return (
    <div className="flex flex-wrap gap-x-2 gap-y-1">
      {hits.map((hit, i) => (
        <Fragment key={hit.id}>
          {i === line && (
            <p className="flex w-full items-center gap-3 py-3 text-muted before:h-px before:flex-1 before:bg-line-strong after:h-px after:flex-1 after:bg-line-strong">
              {i === 0 ? t('search.noGood') : t('search.line')}
            </p>
          )}
          <One hit={hit} onOpen={() => onOpen(hit.id)} />
        </Fragment>
      ))}
      {/* The last row is not stretched. */}
      <span aria-hidden style={{ flexGrow: 100, flexBasis: 0 }} />
    </div>
  );
}
