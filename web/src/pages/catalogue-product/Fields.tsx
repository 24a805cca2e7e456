/* The fields of a product, to be written in. */
import { Plus, X } from 'lucide-react';
import { useId } from 'react';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Field, INPUT } from '@/ui/Field';
import { newDetail, type Detail, type Draft, type Problems, type TextName } from './draft';

export interface FieldsProps {
  draft: Draft;
  problems: Problems;
  isNew: boolean;
  categories: readonly string[];
  onChange: (patch: Partial<Draft>) => void;
}

function Details({ list, onChange }: { list: readonly Detail[]; onChange: (list: Detail[]) => void }) {
  const put = (at: number, patch: Partial<Detail>) =>
    onChange(list.map((one, i) => (i === at ? { ...one, ...patch } : one)));
  return (
    <>
      {list.map((one, at) => (
        <div key={one.key} className="flex gap-2">
          <input
            aria-label={t('catalogue.detailName', { n: at + 1 })}
            placeholder={t('catalogue.detail')}
            value={one.name}
            onChange={(event) => put(at, { name: event.target.value })}
            className={cx(INPUT, 'w-2/5!')}
          />
          <input
            aria-label={t('catalogue.detailValue', { n: at + 1 })}
            placeholder={t('catalogue.value')}
            value={one.value}
            onChange={(event) => put(at, { value: event.target.value })}
            className={cx(INPUT, 'flex-1')}
          />
          <IconButton
            icon={X}
            label={t('app.remove', { what: one.name || t('catalogue.detail') })}
            onClick={() => onChange(list.filter((_, i) => i !== at))}
          />
        </div>
      ))}
      <div>
        <Button icon={Plus} onClick={() => onChange([...list, newDetail()])}>
          {t('catalogue.addDetail')}
        </Button>
      </div>
    </>
  );
}

export function Fields({ draft, problems, isNew, categories, onChange }: FieldsProps) {
  const id = useId();
  const field = (name: TextName) => ({
    label: t(`catalogue.field.${name}`),
    name,
    value: draft[name],
    error: problems[name] && t(problems[name]),
    autoComplete: 'off',
    onChange: (event: { target: { value: string } }) => onChange({ [name]: event.target.value }),
  });
  return (
    <>
      <Field {...field('title')} required aria-required autoFocus={isNew} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field {...field('external_id')} hint={isNew ? t('catalogue.externalIdHint') : undefined} />
        <Field {...field('category')} list={`${id}-categories`} />
        <datalist id={`${id}-categories`}>
          {categories.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
        <Field {...field('price')} inputMode="decimal" />
        <Field
          {...field('currency')}
          maxLength={3}
          hint={t('catalogue.currencyHint')}
          onChange={(event) => onChange({ currency: event.target.value.toUpperCase() })}
        />
      </div>
      <div className="flex flex-col gap-1">
        <label htmlFor={`${id}-text`} className="font-medium">
          {t('catalogue.field.description')}
        </label>
        <textarea
          id={`${id}-text`}
          name="description"
          rows={5}
          value={draft.description}
          aria-invalid={problems.description !== undefined}
          aria-describedby={problems.description ? `${id}-wrong` : undefined}
          onChange={(event) => onChange({ description: event.target.value })}
          className={INPUT + ' py-2'}
        />
        {problems.description && (
          <p id={`${id}-wrong`} className="text-danger">
            {t(problems.description)}
          </p>
        )}
      </div>
      <Field {...field('image_url')} inputMode="url" hint={t('catalogue.imageUrlHint')} />
      <fieldset className="flex min-w-0 flex-col gap-2">
        <legend className="mb-2 font-medium">{t('catalogue.field.metadata')}</legend>
        <Details list={draft.details} onChange={(details) => onChange({ details })} />
        {problems.details && (
          <p role="alert" className="text-danger">
            {t(problems.details)}
          </p>
        )}
      </fieldset>
    </>
  );
}
