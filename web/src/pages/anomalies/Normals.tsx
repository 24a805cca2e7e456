/* What is normal here: nothing in particular, pictures with a tag, or those a filter chooses. */
import { useState } from 'react';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';

export function quoted(tag: string): string {
  return `tag:"${tag.replace(/["\\]/g, '\\$&')}"`;
}

/** The tag, where the filter is one tag alone. */
export function tagOf(filter: string): string | null {
  const [, quotedTag, bare] = /^tag:(?:"((?:[^"\\]|\\.)*)"|([^\s"()]+))$/.exec(filter) ?? [];
  return quotedTag?.replace(/\\(.)/g, '$1') ?? bare ?? null;
}

type Way = 'all' | 'tag' | 'filter';

export function Normals({
  value,
  onChoose,
  onClose,
}: {
  value: string;
  onChoose: (normals: string) => void;
  onClose: () => void;
}) {
  const tag = tagOf(value);
  const [way, setWay] = useState<Way>(value === '' ? 'all' : tag === null ? 'filter' : 'tag');
  return (
    <Dialog title={t('anomalies.normals.title')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget).get('what');
          const text = typeof typed === 'string' ? typed.trim() : '';
          onChoose(way === 'all' || text === '' ? '' : way === 'tag' ? quoted(text) : text);
        }}
      >
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-2 text-muted">{t('anomalies.normals.text')}</legend>
          {(['all', 'tag', 'filter'] as const).map((one) => (
            <label key={one} className="flex min-h-8 items-center gap-2">
              <input
                type="radio"
                name="way"
                checked={way === one}
                onChange={() => setWay(one)}
                className="size-4 accent-accent"
              />
              {t(`anomalies.normals.${one}`)}
            </label>
          ))}
        </fieldset>
        {way === 'tag' && (
          <Field
            key="tag"
            label={t('anomalies.normals.tagName')}
            name="what"
            defaultValue={tag ?? 'normal'}
            required
            autoFocus
          />
        )}
        {way === 'filter' && (
          <Field
            key="filter"
            label={t('anomalies.normals.filterText')}
            hint={t('anomalies.normals.filterHint')}
            name="what"
            defaultValue={value}
            required
            autoFocus
            maxLength={4000}
          />
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" look="primary">
            {t('anomalies.normals.do')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Chosen pictures become the normals by a tag: a list of them would be too long for a filter, and lost tomorrow. */
export function AsNormals({
  n,
  onTag,
  onClose,
}: {
  n: number;
  onTag: (tag: string) => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={t('anomalies.asNormals', { n })} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget).get('tag');
          if (typeof typed === 'string' && typed.trim()) onTag(typed.trim());
        }}
      >
        <p className="text-muted">{t('anomalies.asNormalsText')}</p>
        <Field
          label={t('anomalies.normals.tagName')}
          name="tag"
          defaultValue="normal"
          required
          autoFocus
          pattern="[^,]+"
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" look="primary">
            {t('anomalies.normals.do')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
