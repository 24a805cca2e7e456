/* Products as a table: only the rows in sight are there, and more are fetched as the end comes near. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link } from '@tanstack/react-router';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Selection } from '@/grid/select';
import { ago, date, t } from '@/text';
import { cx } from '@/ui/cx';
import { Photo } from './Photo';
import { priceText, type Order, type Product, type Sort } from './products';
import { State } from './State';

const HEIGHT = 57;
const COLUMNS = 7;

export interface RowsProps {
  label: string;
  items: readonly Product[];
  total: number;
  /** The row that was looked at last: it is in sight from the beginning. */
  active: number;
  onActive: (index: number) => void;
  order: Order;
  onOrder: (order: Order) => void;
  selection: Selection | undefined;
  onSelection: (selection: Selection) => void;
  onNear: () => void;
}

function Head({
  sort,
  text,
  order,
  onOrder,
  className,
}: {
  sort?: Sort;
  text: string;
  order: Order;
  onOrder: (order: Order) => void;
  className?: string;
}) {
  const on = sort !== undefined && order.sort === sort;
  const Icon = order.order === 'asc' ? ArrowUp : ArrowDown;
  return (
    <th
      scope="col"
      aria-sort={on ? (order.order === 'asc' ? 'ascending' : 'descending') : undefined}
      className={cx('border-b border-line bg-bg px-2 py-1 text-left font-medium', className)}
    >
      {sort ? (
        <button
          type="button"
          onClick={() => onOrder({ sort, order: on && order.order === 'asc' ? 'desc' : 'asc' })}
          className="inline-flex min-h-8 items-center gap-1 rounded-md"
        >
          {text}
          {on && <Icon size={14} aria-hidden />}
        </button>
      ) : (
        text
      )}
    </th>
  );
}

function Row({ product, at, props }: { product: Product; at: number; props: RowsProps }) {
  const { selection, onSelection, items } = props;
  const { id, title, external_id, category, updated_at } = product;
  const chosen = selection?.has(id) ?? false;
  const cell = 'truncate border-b border-line px-2';
  return (
    <tr aria-rowindex={at + 2} style={{ height: HEIGHT }} className={cx(chosen && 'bg-accent-soft')}>
      {selection && (
        <td className={cell}>
          <label className="flex size-9 items-center justify-center">
            <span className="sr-only">{t('catalogue.choose', { name: title })}</span>
            <input
              type="checkbox"
              checked={chosen}
              className="size-4"
              onChange={() => undefined}
              onClick={(event) => {
                const from = selection.anchor;
                if (event.shiftKey && from !== null) {
                  const range = items.slice(Math.min(from, at), Math.max(from, at) + 1);
                  onSelection(selection.add(range.map((one) => one.id)));
                } else onSelection(selection.toggle(id, at));
              }}
            />
          </label>
        </td>
      )}
      <th scope="row" className={cx(cell, 'text-left font-medium')}>
        <Link
          to="/catalogue/$id"
          params={{ id: String(id) }}
          onClick={() => props.onActive(at)}
          className="flex min-w-0 items-center gap-3 rounded-md hover:underline"
        >
          <Photo product={product} className="size-11 shrink-0 rounded-md" />
          <span className="truncate">{title}</span>
        </Link>
      </th>
      <td className={cx(cell, 'text-muted')} title={external_id}>
        {external_id}
      </td>
      <td className={cell} title={category}>
        {category}
      </td>
      <td className={cx(cell, 'text-right tabular-nums')}>{priceText(product)}</td>
      <td className={cell}>
        <State product={product} />
      </td>
      <td className={cx(cell, 'text-muted')} title={date(updated_at)}>
        {ago(updated_at)}
      </td>
    </tr>
  );
}

export function Rows(props: RowsProps) {
  const { label, items, total, order, onOrder, selection, onSelection, onNear } = props;
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => frame.current,
    estimateSize: () => HEIGHT,
    overscan: 8,
  });
  const begin = useRef(props.active);
  useEffect(() => {
    if (begin.current > 0) rows.scrollToIndex(begin.current, { align: 'center' });
  }, [rows]);
  const shown = rows.getVirtualItems();
  const first = shown[0];
  const last = shown.at(-1);
  useEffect(() => {
    if ((last?.index ?? 0) + 10 >= items.length) onNear();
  }, [last?.index, items.length, onNear]);
  const columns = selection ? COLUMNS : COLUMNS - 1;
  const head = { order, onOrder };
  return (
    <div
      ref={frame}
      role="region"
      aria-label={label}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-auto rounded-md border border-line bg-surface"
    >
      <table
        aria-rowcount={total + 1}
        className="w-full min-w-240 table-fixed border-separate border-spacing-0"
      >
        <thead className="sticky top-0 z-10">
          <tr aria-rowindex={1}>
            {selection && (
              <th scope="col" className="w-14 border-b border-line bg-bg px-2">
                <label className="flex size-9 items-center justify-center">
                  <span className="sr-only">{t('catalogue.chooseAll')}</span>
                  <input
                    type="checkbox"
                    className="size-4"
                    checked={items.length > 0 && items.every(({ id }) => selection.has(id))}
                    ref={(box) => {
                      if (box) box.indeterminate = selection.size > 0 && selection.size < items.length;
                    }}
                    onChange={(event) =>
                      onSelection(
                        event.target.checked ? selection.add(items.map(({ id }) => id)) : new Selection(),
                      )
                    }
                  />
                </label>
              </th>
            )}
            <Head sort="title" text={t('catalogue.field.title')} {...head} />
            <Head text={t('catalogue.field.external_id')} className="w-36" {...head} />
            <Head text={t('catalogue.field.category')} className="w-40" {...head} />
            <Head sort="price" text={t('catalogue.field.price')} className="w-32 text-right!" {...head} />
            <Head text={t('catalogue.field.picture')} className="w-40" {...head} />
            <Head sort="updated" text={t('catalogue.field.updated')} className="w-36" {...head} />
          </tr>
        </thead>
        <tbody>
          {first && first.start > 0 && (
            <tr aria-hidden>
              <td colSpan={columns} style={{ height: first.start }} />
            </tr>
          )}
          {shown.map(({ index }) => {
            const product = items[index];
            return product && <Row key={product.id} product={product} at={index} props={props} />;
          })}
          {last && last.end < rows.getTotalSize() && (
            <tr aria-hidden>
              <td colSpan={columns} style={{ height: rows.getTotalSize() - last.end }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
