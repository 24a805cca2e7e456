/* What the columns of the file are, with their first values beside; and the products that come of it. */
import { useId } from 'react';
import { t } from '@/text';
import { cx } from '@/ui/cx';
import { INPUT } from '@/ui/Field';
import { fieldCalled, FIELDS, isWrong, type FieldName, type Sample, type Target } from './columns';

export function Mapping({
  sample,
  targets,
  onTargets,
}: {
  sample: Sample;
  targets: readonly Target[];
  onTargets: (targets: Target[]) => void;
}) {
  const id = useId();
  if (sample.columns.length === 0) return <p role="alert">{t('catalogue.import.noColumns')}</p>;
  return (
    <section aria-labelledby={id} className="flex flex-col gap-2">
      <h2 id={id} className="text-lg font-semibold">
        {t('catalogue.import.columns')}
      </h2>
      <p className="text-muted">{t('catalogue.import.columnsText')}</p>
      <ul className="rounded-md border border-line bg-surface">
        {sample.columns.map((column, i) => {
          const target = targets[i] ?? 'none';
          const values = [...new Set(sample.rows.map((row) => row[i] ?? '').filter(Boolean))];
          return (
            <li
              key={i}
              className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-3 py-2 last:border-0"
            >
              <div className={cx('min-w-0 flex-1 basis-48', target === 'none' && 'opacity-60')}>
                <p className="truncate font-medium">{column || t('catalogue.import.unnamed')}</p>
                <p className="truncate text-muted" title={values.join('\n')}>
                  {values.join(' · ')}
                </p>
              </div>
              <select
                aria-label={t('catalogue.import.isWhat', { column: column || String(i + 1) })}
                value={target}
                disabled={column === ''}
                onChange={(event) =>
                  onTargets(targets.map((one, at) => (at === i ? (event.target.value as Target) : one)))
                }
                className={cx(INPUT, 'w-56! max-sm:w-full!')}
              >
                {FIELDS.map((field) => (
                  <option key={field} value={field}>
                    {t(`catalogue.field.${field}`)}
                  </option>
                ))}
                {!fieldCalled(column) && <option value="detail">{t('catalogue.import.detail')}</option>}
                <option value="none">{t('catalogue.import.leaveOut')}</option>
              </select>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const SHOWN: readonly FieldName[] = ['external_id', 'title', 'category', 'price', 'currency', 'image_url'];

export function Preview({ sample, targets }: { sample: Sample; targets: readonly Target[] }) {
  const shown = SHOWN.filter((field) => targets.includes(field));
  if (shown.length === 0 || sample.rows.length === 0) return null;
  return (
    <section className="flex flex-col gap-2">
      <h2 className="text-lg font-semibold">{t('catalogue.import.preview')}</h2>
      <div
        role="region"
        aria-label={t('catalogue.import.preview')}
        tabIndex={0}
        className="overflow-auto rounded-md border border-line bg-surface"
      >
        <table className="w-full border-collapse">
          <thead>
            <tr className="border-b border-line text-left">
              {shown.map((field) => (
                <th key={field} scope="col" className="px-3 py-2 font-medium whitespace-nowrap">
                  {t(`catalogue.field.${field}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sample.rows.map((row, at) => (
              <tr key={at} className="border-b border-line last:border-0">
                {shown.map((field) => {
                  const text = row[targets.indexOf(field)] ?? '';
                  const wrong = isWrong(field, text);
                  return (
                    <td
                      key={field}
                      title={wrong ? t('catalogue.import.willRefuse') : text}
                      className={cx('max-w-56 truncate px-3 py-2', wrong && 'bg-danger-soft')}
                    >
                      {text || (wrong ? t('catalogue.import.lacks') : '')}
                      {wrong && <span className="sr-only"> {t('catalogue.import.willRefuse')}</span>}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
