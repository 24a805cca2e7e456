/* What the products are made of, and choosing among it: categories, prices, currencies, with or without a picture. */
import { useState } from 'react';
import { number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Chip } from '@/ui/Chip';
import { cx } from '@/ui/cx';
import { Field } from '@/ui/Field';
import { Segments } from '@/ui/Segments';
import { categoriesOf, categoryList, priceOf, type Facets, type Filters } from './products';

export interface NarrowProps {
  filters: Filters;
  /** Of what is shown; of each group as if nothing were chosen in it, where that is known. */
  facets: { categories?: Facets | undefined; prices?: Facets | undefined; currencies?: Facets | undefined };
  onChange: (patch: Partial<Filters>) => void;
  /** A search has no such filter. */
  pictures: boolean;
}

const MOST = 12;

function Categories({ filters, facets, onChange }: NarrowProps) {
  const [all, setAll] = useState(false);
  const chosen = categoriesOf(filters);
  const counted = facets.categories?.categories ?? [];
  const others = chosen.filter((name) => !counted.some(({ value }) => value === name));
  const list = [...others.map((value) => ({ value, count: 0 })), ...counted];
  if (list.length === 0) return null;
  const toggle = (name: string) =>
    onChange({
      category: categoryList(
        chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name],
      ),
    });
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium">{t('catalogue.filter.category')}</legend>
      {list.slice(0, all ? undefined : MOST).map(({ value, count }) => (
        <label key={value} className="flex min-h-7 items-center gap-2 pointer-coarse:min-h-11">
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            disabled={value === '' || (chosen.length >= 20 && !chosen.includes(value))}
            onChange={() => toggle(value)}
            className="size-4 shrink-0"
          />
          <span className={cx('min-w-0 flex-1 truncate', value === '' && 'text-muted italic')} title={value}>
            {value || t('catalogue.filter.noCategory')}
          </span>
          <span className="text-muted tabular-nums">{number(count)}</span>
        </label>
      ))}
      {list.length > MOST && (
        <button
          type="button"
          onClick={() => setAll(!all)}
          className="min-h-7 rounded-md text-accent underline"
        >
          {all ? t('catalogue.filter.fewer') : t('catalogue.filter.more', { n: list.length - MOST })}
        </button>
      )}
    </fieldset>
  );
}

function Bars({ facets, onChange }: Pick<NarrowProps, 'facets' | 'onChange'>) {
  const buckets = facets.prices?.price.buckets ?? [];
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  if (buckets.length < 2) return null;
  return (
    <ul aria-label={t('catalogue.filter.prices')} className="mb-2 flex h-14 items-end">
      {buckets.map(({ from, to, count }) => {
        const text = t('catalogue.filter.bucket', { from: Number(from), to: Number(to), n: count });
        return (
          <li key={from} className="flex h-full min-w-0 flex-1 items-end">
            <button
              type="button"
              title={text}
              aria-label={text}
              disabled={count === 0}
              onClick={() => onChange({ price_min: from, price_max: to })}
              className="group flex h-full w-full items-end px-px"
            >
              <span
                className="w-full rounded-t-sm bg-line-strong group-hover:bg-accent"
                style={{ height: count ? `${Math.max(8, (count / most) * 100)}%` : '1px' }}
              />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Prices({ filters, facets, onChange }: NarrowProps) {
  const price = facets.prices?.price;
  const shown = price?.min != null && price.max != null;
  if (!shown && !filters.price_min && !filters.price_max) return null;
  const field = (name: 'price_min' | 'price_max') => (
    <Field
      key={filters[name]}
      label={t(`catalogue.filter.${name}`)}
      name={name}
      inputMode="decimal"
      autoComplete="off"
      defaultValue={filters[name]}
      placeholder={(name === 'price_min' ? price?.min : price?.max) ?? ''}
      onBlur={(event) => {
        const next = priceOf(event.target.value);
        event.target.value = next;
        if (next !== filters[name]) onChange({ [name]: next });
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur();
      }}
      className="min-w-0 flex-1"
    />
  );
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium">{t('catalogue.filter.price')}</legend>
      <Bars facets={facets} onChange={onChange} />
      <div className="flex gap-2">
        {field('price_min')}
        {field('price_max')}
      </div>
    </fieldset>
  );
}

function Currencies({ filters, facets, onChange }: NarrowProps) {
  const list = (facets.currencies?.currencies ?? []).filter(({ value }) => value !== '');
  if (list.length < 2 && !filters.currency) return null;
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium">{t('catalogue.filter.currency')}</legend>
      <div className="flex flex-wrap gap-1">
        {list.map(({ value, count }) => (
          <Button
            key={value}
            aria-pressed={filters.currency === value}
            onClick={() => onChange({ currency: filters.currency === value ? '' : value })}
            className={cx('px-2!', filters.currency === value && 'border-accent! bg-accent-soft!')}
          >
            {value}
            <span className="text-muted tabular-nums">{number(count)}</span>
          </Button>
        ))}
      </div>
    </fieldset>
  );
}

export function Narrow(props: NarrowProps) {
  const { filters, onChange, pictures } = props;
  return (
    <div className="flex flex-col gap-5">
      <Categories {...props} />
      <Prices {...props} />
      <Currencies {...props} />
      {pictures && (
        <div>
          <p className="mb-1 font-medium" aria-hidden>
            {t('catalogue.filter.has_picture')}
          </p>
          <Segments<'any' | 'yes' | 'no'>
            label={t('catalogue.filter.has_picture')}
            value={filters.has_picture || 'any'}
            options={(['any', 'yes', 'no'] as const).map((value) => ({
              value,
              text: t(`catalogue.picture.${value}`),
            }))}
            onChange={(next) => onChange({ has_picture: next === 'any' ? '' : next })}
          />
        </div>
      )}
    </div>
  );
}

/** What is chosen, to be taken away. */
export function Chips({ filters, onChange }: Pick<NarrowProps, 'filters' | 'onChange'>) {
  const chosen = categoriesOf(filters);
  const { price_min, price_max, currency, has_picture } = filters;
  return (
    <>
      {chosen.map((name) => (
        <Chip
          key={name}
          text={`${t('catalogue.filter.category')}: ${name}`}
          onRemove={() => onChange({ category: categoryList(chosen.filter((one) => one !== name)) })}
        />
      ))}
      {price_min && (
        <Chip
          text={t('catalogue.filter.from', { price: Number(price_min) })}
          onRemove={() => onChange({ price_min: '' })}
        />
      )}
      {price_max && (
        <Chip
          text={t('catalogue.filter.upTo', { price: Number(price_max) })}
          onRemove={() => onChange({ price_max: '' })}
        />
      )}
      {currency && (
        <Chip
          text={`${t('catalogue.filter.currency')}: ${currency}`}
          onRemove={() => onChange({ currency: '' })}
        />
      )}
      {has_picture && (
        <Chip
          text={`${t('catalogue.filter.has_picture')}: ${t(`catalogue.picture.${has_picture}`)}`}
          onRemove={() => onChange({ has_picture: '' })}
        />
      )}
    </>
  );
}
