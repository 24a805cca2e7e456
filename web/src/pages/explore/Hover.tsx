import { Thumb } from '@/grid/Picture';
import { number, t } from '@/text';
import { useCells } from './data';
import type { Pointed } from './useScene';
import { useSettled } from './useSettled';

const WIDE = 208;

export interface HoverProps {
  pointed: Pointed;
  id: number;
  score: number | undefined;
  /** What its colour means. */
  meaning: string | undefined;
  /** Made up: there is no picture. */
  bare: boolean;
}

/** The picture that is pointed at, beside the pointer. */
export function Hover({ pointed, id, score, meaning, bare }: HoverProps) {
  const { width, height } = pointed;
  const settled = useSettled(id, 60);
  const { data } = useCells(bare ? [] : [settled]);
  const cell = data?.find((one) => one.id === id);
  const left = pointed.x + 20 + WIDE > width ? Math.max(4, pointed.x - 20 - WIDE) : pointed.x + 20;
  const below = pointed.y < height / 2;
  return (
    <>
      <span
        aria-hidden
        className="pointer-events-none absolute size-4 -translate-1/2 rounded-full border-2 border-accent"
        style={{ left: pointed.x, top: pointed.y }}
      />
      <div
        role="status"
        className="pointer-events-none absolute z-10 w-52 overflow-hidden rounded-md border border-line bg-surface shadow-lg"
        style={{ left, ...(below ? { top: pointed.y } : { bottom: height - pointed.y }) }}
      >
        {!bare &&
          (cell ? (
            <Thumb key={cell.id} src={cell.preview_url} alt="" className="h-36 w-full" />
          ) : (
            <div className="h-36 bg-sunken" />
          ))}
        <div className="flex flex-col gap-0.5 p-2">
          <p className="truncate font-medium">{cell?.name ?? t('explore.point', { id: String(id) })}</p>
          {cell && cell.tags.length > 0 && <p className="truncate text-muted">{cell.tags.join(', ')}</p>}
          {meaning !== undefined && <p className="truncate text-muted">{meaning}</p>}
          {score !== undefined && (
            <p className="text-muted tabular-nums">
              {t('explore.score', { score: number(score, { maximumFractionDigits: 2 }) })}
            </p>
          )}
        </div>
      </div>
    </>
  );
}
