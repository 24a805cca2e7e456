import { CircleCheckBig } from 'lucide-react';
import { date, number, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { COLORS, type ColorBy } from './data';
import type { Coloring } from './engine/coloring';
import { categoryColor, NONE, scaleColor, type Rgb, type ThemeName } from './engine/look';

export const css = ([r, g, b]: Rgb) => `rgb(${r} ${g} ${b})`;

export function nameOf(by: ColorBy, name: string): string {
  return by === 'cluster' ? t('explore.cluster', { name }) : name;
}

export function valueText(by: ColorBy, value: number): string {
  return by === 'date'
    ? date(value * 86_400_000, { dateStyle: 'medium' })
    : number(value, { maximumSignificantDigits: 3 });
}

function Row({
  swatch,
  name,
  count,
  shown,
  onToggle,
  onChoose,
}: {
  swatch: string;
  name: string;
  count: number;
  shown: boolean;
  onToggle: () => void;
  onChoose: () => void;
}) {
  return (
    <li className="flex items-center">
      <button
        type="button"
        aria-pressed={shown}
        title={t(shown ? 'explore.hide' : 'explore.show', { name })}
        onClick={onToggle}
        className="flex min-h-8 min-w-0 flex-1 items-center gap-2 rounded-md px-2 text-left hover:bg-sunken pointer-coarse:min-h-11"
      >
        <span
          aria-hidden
          className={cx(
            'size-3.5 shrink-0 rounded-full border',
            shown ? 'border-transparent' : 'border-line-strong',
          )}
          style={{ background: shown ? swatch : 'transparent' }}
        />
        <span className={cx('min-w-0 flex-1 truncate', !shown && 'text-muted line-through')}>{name}</span>
        <span className="text-muted tabular-nums">{number(count)}</span>
      </button>
      <IconButton
        icon={CircleCheckBig}
        size={15}
        label={t('explore.chooseThese', { name })}
        onClick={onChoose}
        className="size-8 text-muted"
      />
    </li>
  );
}

function Scale({
  by,
  coloring,
  theme,
}: {
  by: ColorBy;
  coloring: Coloring & { kind: 'scale' };
  theme: ThemeName;
}) {
  const stops = Array.from({ length: 11 }, (_, i) => css(scaleColor(i / 10, theme))).join(', ');
  const low = valueText(by, coloring.low);
  const high = valueText(by, coloring.high);
  return (
    <div className="flex flex-col gap-1">
      <div
        role="img"
        aria-label={t('explore.scale', { low, high })}
        className="h-3 rounded-full"
        style={{ background: `linear-gradient(to right, ${stops})` }}
      />
      <div aria-hidden className="flex justify-between text-muted tabular-nums">
        <span>{low}</span>
        <span>{high}</span>
      </div>
      {coloring.rest > 0 && <p className="text-muted">{t('explore.without', { n: coloring.rest })}</p>}
    </div>
  );
}

export interface LegendProps {
  by: ColorBy;
  onBy: (by: ColorBy) => void;
  choices: readonly ColorBy[];
  coloring: Coloring | undefined;
  error: unknown;
  onRetry: () => void;
  theme: ThemeName;
  hidden: ReadonlySet<number>;
  onHidden: (hidden: ReadonlySet<number>) => void;
  onChoose: (value: number) => void;
}

export function Legend({
  by,
  onBy,
  choices,
  coloring,
  error,
  onRetry,
  theme,
  hidden,
  onHidden,
  onChoose,
}: LegendProps) {
  const toggle = (value: number) => {
    const next = new Set(hidden);
    if (!next.delete(value)) next.add(value);
    onHidden(next);
  };
  return (
    <section aria-label={t('explore.colors')} className="flex flex-col gap-2">
      <label className="flex items-center gap-2">
        <span className="shrink-0 font-medium">{t('explore.colorBy')}</span>
        <select
          value={by}
          onChange={(event) => onBy(event.target.value as ColorBy)}
          className="min-h-9 min-w-0 flex-1 rounded-md border border-line-strong bg-surface px-2 pointer-coarse:min-h-11"
        >
          {COLORS.filter((one) => choices.includes(one)).map((one) => (
            <option key={one} value={one}>
              {t(`explore.by.${one}`)}
            </option>
          ))}
        </select>
      </label>
      {error ? (
        <Trouble error={error} onRetry={onRetry} />
      ) : !coloring ? (
        <Skeleton className="h-24" />
      ) : coloring.kind === 'scale' ? (
        <Scale by={by} coloring={coloring} theme={theme} />
      ) : coloring.categories.length === 0 ? (
        <p className="text-muted">{t('explore.noCategories')}</p>
      ) : (
        <ul>
          {coloring.categories.map((category, i) => (
            <Row
              key={category.name}
              swatch={css(categoryColor(i, theme))}
              name={nameOf(by, category.name)}
              count={category.count}
              shown={!hidden.has(i)}
              onToggle={() => toggle(i)}
              onChoose={() => onChoose(i)}
            />
          ))}
          {coloring.rest > 0 && (
            <Row
              swatch={css(categoryColor(NONE, theme))}
              name={t('explore.others')}
              count={coloring.rest}
              shown={!hidden.has(NONE)}
              onToggle={() => toggle(NONE)}
              onChoose={() => onChoose(NONE)}
            />
          )}
        </ul>
      )}
      {hidden.size > 0 && (
        <Button look="quiet" className="self-start text-accent" onClick={() => onHidden(new Set())}>
          {t('explore.showAll')}
        </Button>
      )}
    </section>
  );
}
