/* What is known of the two, row by row; where they differ, the better one is marked. */
import type { ReactNode } from 'react';
import { bytes, date, number, t } from '@/text';
import { cx } from '@/ui/cx';
import { Skeleton } from '@/ui/Skeleton';
import { nameOf } from './Compare';
import type { Member } from './decide';
import { useComparison } from './useDifference';

interface Fact {
  name: string;
  left: ReactNode;
  right: ReactNode;
  /** Of which one can be better: above 0 the left one. */
  better?: number;
}

function factsOf(left: Member, right: Member): Fact[] {
  const a = 'name' in left.payload ? left.payload : null;
  const b = 'name' in right.payload ? right.payload : null;
  const pixels = ({ width, height }: Member) => t('duplicates.pixels', { width, height });
  const rows: Fact[] = [
    {
      name: t('duplicates.fact.pixels'),
      left: pixels(left),
      right: pixels(right),
      better: left.width * left.height - right.width * right.height,
    },
    {
      name: t('duplicates.fact.size'),
      left: bytes(left.bytes),
      right: bytes(right.bytes),
    },
  ];
  if (!a || !b) return rows;
  const day = (value: string | null) =>
    value ? date(value, { dateStyle: 'medium' }) : t('duplicates.unknown');
  const sharp = (value: number) => number(value, { maximumFractionDigits: 0 });
  return [
    ...rows,
    { name: t('duplicates.fact.format'), left: a.format.toUpperCase(), right: b.format.toUpperCase() },
    { name: t('duplicates.fact.taken'), left: day(a.taken_at), right: day(b.taken_at) },
    { name: t('duplicates.fact.added'), left: day(a.created_at), right: day(b.created_at) },
    {
      name: t('duplicates.fact.sharpness'),
      left: sharp(a.quality.sharpness),
      right: sharp(b.quality.sharpness),
      // A smaller picture of the same is sharper by the pixel, which says nothing.
      better:
        left.width * left.height === right.width * right.height
          ? Math.round(a.quality.sharpness) - Math.round(b.quality.sharpness)
          : 0,
    },
    ...(a.tags.length || b.tags.length
      ? [{ name: t('duplicates.fact.tags'), left: a.tags.join(', '), right: b.tags.join(', ') }]
      : []),
    { name: t('duplicates.fact.name'), left: nameOf(left), right: nameOf(right) },
  ];
}

function Cell({ children, wins, same }: { children: ReactNode; wins: boolean; same: boolean }) {
  return (
    <td
      className={cx(
        'w-[37%] py-1 pr-2 align-top break-words [overflow-wrap:anywhere]',
        same ? 'text-muted' : wins && 'font-semibold text-ok',
      )}
    >
      {children}
      {wins && <span className="sr-only"> ({t('duplicates.better')})</span>}
    </td>
  );
}

export function PairFacts({ left, right }: { left: Member; right: Member }) {
  return (
    <table className="w-full table-fixed text-left tabular-nums">
      <thead>
        <tr className="border-b border-line">
          <th className="py-1 pr-2 font-normal">
            <span className="sr-only">{t('duplicates.fact.fact')}</span>
          </th>
          <th scope="col" className="w-[37%] py-1 pr-2 font-medium">
            {t('duplicates.keep')}
          </th>
          <th scope="col" className="w-[37%] py-1 font-medium">
            {t('duplicates.theOther')}
          </th>
        </tr>
      </thead>
      <tbody>
        {factsOf(left, right).map(({ name, left: one, right: other, better = 0 }) => (
          <tr key={name} className="border-b border-line last:border-0">
            <th scope="row" className="py-1 pr-2 align-top font-normal text-muted">
              {name}
            </th>
            <Cell wins={better > 0} same={one === other}>
              {one}
            </Cell>
            <Cell wins={better < 0} same={one === other}>
              {other}
            </Cell>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How the two relate, in words, with how sure it is. */
export function Relation({ left, right }: { left: Member; right: Member }) {
  const { data, error } = useComparison(left.id, right.id);
  if (error) return null; // the facts stand for themselves
  if (!data) return <Skeleton className="h-10" />;
  const words = data.same_bytes
    ? t('duplicates.why.bytes')
    : data.relation
      ? t(`duplicates.relation.${data.relation}`)
      : t('duplicates.why.alike');
  const percent = (value: number) => number(value, { style: 'percent' });
  return (
    <div className="mb-2 min-h-10">
      <p className="font-medium">{words}</p>
      <p className="text-muted">
        {t('duplicates.sure', { score: percent(data.same) })}
        {data.cosine !== null && ` · ${t('duplicates.alike', { score: percent(Math.max(0, data.cosine)) })}`}
      </p>
    </div>
  );
}
