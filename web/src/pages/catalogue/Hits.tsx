/* What a search found: how good each one is, and why. */
import { Link } from '@tanstack/react-router';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import { Photo } from './Photo';
import { priceText } from './products';
import type { Hit } from './search';

const two = (value: number) => number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function Why({ hit }: { hit: Hit }) {
  const { picture_score, text_score } = hit;
  const parts = [
    picture_score === null ? null : t('catalogue.why.picture', { score: two(Math.max(0, picture_score)) }),
    text_score === null
      ? null
      : t('catalogue.why.words', { score: number(text_score, { style: 'percent' }) }),
  ].filter((one) => one !== null);
  return (
    <span className="text-xs text-muted" title={t('catalogue.why.hint')}>
      {parts.join(' · ')}
    </span>
  );
}

function One({ hit }: { hit: Hit }) {
  return (
    <li className="min-w-0">
      <Link
        to="/catalogue/$id"
        params={{ id: String(hit.id) }}
        className="group flex flex-col gap-1 rounded-md"
      >
        <Photo
          product={hit}
          className={cx('aspect-square w-full rounded-md', hit.text_score === null && 'opacity-90')}
        />
        <span className="truncate font-medium group-hover:underline">{hit.title}</span>
        <span className="flex justify-between gap-2">
          <span className="truncate text-muted">{hit.category}</span>
          <span className="shrink-0 tabular-nums">{priceText(hit)}</span>
        </span>
        <span className="flex items-center gap-2">
          <span aria-hidden className="h-1.5 min-w-12 flex-1 overflow-hidden rounded-full bg-sunken">
            <span className="block h-full bg-accent" style={{ width: `${hit.score * 100}%` }} />
          </span>
          <span className="shrink-0 font-medium tabular-nums">
            <span className="sr-only">{t('catalogue.why.score')} </span>
            {number(hit.score, { style: 'percent' })}
          </span>
        </span>
        <Why hit={hit} />
      </Link>
    </li>
  );
}

export function Hits({ hits, busy }: { hits: readonly Hit[]; busy: boolean }) {
  return (
    <ul
      aria-label={t('catalogue.search.results')}
      aria-busy={busy}
      className="grid grid-cols-[repeat(auto-fill,minmax(min(12rem,45%),1fr))] gap-4"
    >
      {hits.map((hit) => (
        <One key={hit.id} hit={hit} />
      ))}
    </ul>
  );
}
