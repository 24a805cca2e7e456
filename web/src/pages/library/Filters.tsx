import { ArrowDownUp, CalendarSearch, Filter, Grid3x3 } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Chip } from '@/ui/Chip';
import { Dialog } from '@/ui/Dialog';
import { Field, INPUT } from '@/ui/Field';
import { Menu, MenuChoice } from '@/ui/Menu';
import type { UrlState } from '@/lib/url';

/** Conditions, as the address and the service name them. */
export const FILTERS = ['tag', 'folder', 'name', 'format', 'date', 'issue', 'state', 'where'] as const;
type FilterName = (typeof FILTERS)[number];

export const ISSUES = ['blurred', 'too_dark', 'too_bright', 'blank', 'low_contrast'] as const;
const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif', 'heic'] as const;
const STATES = ['present', 'missing', 'trashed'] as const;

export const ROWS = { small: 130, medium: 200, large: 300 } as const;
export type RowSize = keyof typeof ROWS;

function wordOf(name: FilterName, value: string): string {
  if (name === 'issue' && (ISSUES as readonly string[]).includes(value))
    return t(`issue.${value as (typeof ISSUES)[number]}`);
  if (name === 'state' && (STATES as readonly string[]).includes(value))
    return t(`state.${value as (typeof STATES)[number]}`);
  return value;
}

function Select({
  name,
  label,
  value,
  options,
}: {
  name: string;
  label: string;
  value: string;
  options: readonly [string, string][];
}) {
  return (
    <label className="flex flex-col gap-1 font-medium">
      {label}
      <select name={name} defaultValue={value} className={INPUT + ' font-normal'}>
        <option value="">{t('filter.any')}</option>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function FilterForm({
  url,
  onSet,
  onClose,
}: {
  url: UrlState;
  onSet: (patch: UrlState) => void;
  onClose: () => void;
}) {
  const submit = (form: FormData) => {
    const read = (name: FilterName) => {
      const value = form.get(name);
      return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
    };
    onSet(Object.fromEntries(FILTERS.map((name) => [name, read(name)])));
    onClose();
  };
  return (
    <Dialog title={t('filter.title')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit(new FormData(event.currentTarget));
        }}
      >
        <Field label={t('filter.tag')} name="tag" defaultValue={url['tag']} autoFocus />
        <Field
          label={t('filter.folder')}
          name="folder"
          defaultValue={url['folder']}
          hint={t('filter.folderHint')}
        />
        <Field label={t('filter.name')} name="name" defaultValue={url['name']} hint={t('filter.nameHint')} />
        <Field label={t('filter.date')} name="date" defaultValue={url['date']} hint={t('filter.dateHint')} />
        <Select
          name="format"
          label={t('filter.format')}
          value={url['format'] ?? ''}
          options={FORMATS.map((f) => [f, f.toUpperCase()])}
        />
        <Select
          name="issue"
          label={t('filter.issue')}
          value={url['issue'] ?? ''}
          options={ISSUES.map((i) => [i, t(`issue.${i}`)])}
        />
        <Select
          name="state"
          label={t('filter.state')}
          value={url['state'] ?? ''}
          options={STATES.map((s) => [s, t(`state.${s}`)])}
        />
        <Field
          label={t('filter.where')}
          name="where"
          defaultValue={url['where']}
          hint={t('filter.whereHint')}
        />
        <div className="flex justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" look="primary">
            {t('filter.apply')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export interface FiltersProps {
  url: UrlState;
  onSet: (patch: UrlState) => void;
  rows: RowSize;
  onRows: (rows: RowSize) => void;
  total: number | undefined;
  onJump: () => void;
}

export function Filters({ url, onSet, rows, onRows, total, onJump }: FiltersProps) {
  const [open, setOpen] = useState(false);
  useShortcuts([
    { keys: 'f', label: t('filter.title'), run: () => setOpen(true) },
    { keys: 'j', label: t('jump.title'), run: onJump },
  ]);
  const sort = `${url['sort'] ?? 'added'} ${url['order'] ?? 'desc'}`;
  const orders = [
    ['added desc', t('library.newest')],
    ['added asc', t('library.oldest')],
    ['date desc', t('library.takenNewest')],
    ['date asc', t('library.takenOldest')],
  ] as const;
  return (
    <div className="flex min-h-14 flex-wrap items-center gap-2 border-b border-line px-3 py-2">
      <h1 className="text-lg font-semibold">{t('nav.library')}</h1>
      <span aria-live="polite" className="min-w-16 text-muted">
        {total === undefined ? '' : t('library.count', { n: total })}
      </span>
      <div className="flex min-w-0 flex-1 flex-wrap gap-1">
        {FILTERS.filter((name) => url[name]).map((name) => (
          <Chip
            key={name}
            text={`${t(`filter.${name}`)}: ${wordOf(name, url[name] ?? '')}`}
            onRemove={() => onSet({ [name]: undefined })}
          />
        ))}
      </div>
      <Button
        look="quiet"
        icon={CalendarSearch}
        onClick={onJump}
        aria-label={t('jump.title')}
        aria-keyshortcuts="j"
      >
        <span className="max-lg:hidden">{t('jump.title')}</span>
      </Button>
      <Button
        look="quiet"
        icon={Filter}
        onClick={() => setOpen(true)}
        aria-label={t('filter.title')}
        aria-keyshortcuts="f"
      >
        <span className="max-md:hidden">{t('filter.title')}</span>
      </Button>
      <Menu
        trigger={
          <Button look="quiet" icon={ArrowDownUp} aria-label={t('library.order')}>
            <span className="max-md:hidden">{t('library.order')}</span>
          </Button>
        }
      >
        <MenuChoice
          label={t('library.order')}
          value={sort}
          options={orders}
          onChange={(value) => {
            const [by, order] = value.split(' ');
            onSet({ sort: by === 'added' ? undefined : by, order: order === 'desc' ? undefined : order });
          }}
        />
      </Menu>
      <Menu
        trigger={
          <Button look="quiet" icon={Grid3x3} aria-label={t('library.rows')}>
            <span className="max-md:hidden">{t('library.rows')}</span>
          </Button>
        }
      >
        <MenuChoice<RowSize>
          label={t('library.rows')}
          value={rows}
          options={[
            ['small', t('library.small')],
            ['medium', t('library.medium')],
            ['large', t('library.large')],
          ]}
          onChange={onRows}
        />
      </Menu>
      {open && <FilterForm url={url} onSet={onSet} onClose={() => setOpen(false)} />}
    </div>
  );
}
