import { Ban, ImagePlus, Plus, X } from 'lucide-react';
import { useRef, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { magpie } from '@/app/session';
import { Thumb } from '@/grid/Picture';
import { number, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { INPUT } from '@/ui/Field';
import { LocalPicture } from '@/ui/LocalPicture';
import type { Image } from '@/viewer/Facts';
import type { Term } from './terms';

function FromLibrary({ id }: { id: number }) {
  const { data } = useQuery({
    queryKey: ['image', id],
    queryFn: ({ signal }) => magpie.json<Image>('GET', `/api/images/${id}`, { signal }),
  });
  return data ? (
    <Thumb src={data.preview_url} alt="" className="size-10 rounded-md" />
  ) : (
    <span className="size-10 rounded-md bg-sunken" />
  );
}

function One({
  term,
  onChange,
  onRemove,
}: {
  term: Term;
  onChange: (term: Term) => void;
  onRemove: () => void;
}) {
  const name = term.kind === 'id' ? t('search.picture', { id: term.value }) : term.value;
  return (
    <li
      className={cx(
        'flex max-w-full items-center gap-2 rounded-md border bg-surface py-1 pr-1 pl-2',
        term.not ? 'border-danger' : 'border-line',
      )}
    >
      {term.file ? (
        <LocalPicture file={term.file} alt="" className="size-10 rounded-md bg-sunken object-cover" />
      ) : (
        term.kind === 'id' && <FromLibrary id={Number(term.value)} />
      )}
      <span className={cx('max-w-40 truncate', term.not && 'line-through')}>{name}</span>
      <label className="flex items-center gap-1">
        <span className="sr-only">{t('search.weight', { name })}</span>
        <input
          type="range"
          min={0.1}
          max={2}
          step={0.1}
          value={term.weight}
          onChange={(event) => onChange({ ...term, weight: Number(event.target.value) })}
          className="h-6 w-20"
        />
        <span aria-hidden className="w-7 text-right text-muted tabular-nums">
          {number(term.weight, { minimumFractionDigits: 1 })}
        </span>
      </label>
      <IconButton
        icon={Ban}
        size={16}
        label={t('search.notThis', { name })}
        aria-pressed={term.not}
        className={cx('size-8', term.not && 'bg-danger-soft text-danger')}
        onClick={() => onChange({ ...term, not: !term.not })}
      />
      <IconButton
        icon={X}
        size={16}
        label={t('app.remove', { what: name })}
        className="size-8"
        onClick={onRemove}
      />
    </li>
  );
}

/** Everything besides the words of the field above. */
export function Terms({
  terms,
  onChange,
  onFiles,
}: {
  terms: readonly Term[];
  onChange: (terms: Term[]) => void;
  onFiles: (files: readonly File[]) => void;
}) {
  const [adding, setAdding] = useState('');
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="flex flex-col gap-2">
      {terms.length > 0 && (
        <ul className="flex flex-wrap gap-2">
          {terms.map((term, i) => (
            <One
              key={`${term.kind} ${term.value} ${term.key ?? ''}`}
              term={term}
              onChange={(next) => onChange(terms.map((old, j) => (j === i ? next : old)))}
              onRemove={() => onChange(terms.filter((_, j) => j !== i))}
            />
          ))}
        </ul>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button icon={ImagePlus} onClick={() => input.current?.click()}>
          {t('search.addPicture')}
        </Button>
        <input
          ref={input}
          type="file"
          accept="image/*"
          multiple
          hidden
          onChange={(event) => {
            onFiles([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
        <form
          className="flex gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (adding.trim())
              onChange([...terms, { kind: 'text', value: adding.trim(), weight: 1, not: false }]);
            setAdding('');
          }}
        >
          <input
            aria-label={t('search.addWords')}
            placeholder={t('search.addWords')}
            value={adding}
            onChange={(event) => setAdding(event.target.value)}
            className={INPUT}
          />
          <Button type="submit" icon={Plus} aria-label={t('search.add')} />
        </form>
      </div>
    </div>
  );
}
