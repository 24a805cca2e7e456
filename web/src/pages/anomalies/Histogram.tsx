/* How the scores are spread, and where the line is: what is right of it is flagged. */
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import { barOf, type Scores } from './odd';

const HEIGHT = 72;

export function Histogram({
  scores,
  line,
  flagged,
  total,
}: {
  scores: Scores;
  /** The least score that is flagged; null: none is. */
  line: number | null;
  flagged: number;
  total: number;
}) {
  const { counts, from, to } = scores;
  const most = Math.max(1, ...counts);
  const wide = 100 / counts.length;
  const first = line === null ? counts.length : barOf(scores, line);
  const at = line === null ? 100 : to > from ? ((line - from) / (to - from)) * 100 : 0;
  const short = (value: number) => number(value, { maximumSignificantDigits: 3 });
  return (
    <figure className="min-w-0">
      <svg
        role="img"
        aria-label={t('anomalies.histogramLabel', { n: flagged, total })}
        viewBox={`0 0 100 ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-18 w-full"
      >
        {counts.map((count, i) => {
          // Few are seen too: the tail is what matters.
          const height = count === 0 ? 0 : Math.max(3, (count / most) * (HEIGHT - 4));
          return (
            <rect
              key={i}
              x={i * wide}
              y={HEIGHT - height}
              width={wide * 0.85}
              height={height}
              className={cx(i >= first ? 'fill-danger' : 'fill-line-strong')}
            >
              <title>{`${short(from + ((to - from) * i) / counts.length)}: ${number(count)}`}</title>
            </rect>
          );
        })}
        {line !== null && (
          <line
            x1={at}
            x2={at}
            y1={0}
            y2={HEIGHT}
            vectorEffect="non-scaling-stroke"
            strokeWidth={2}
            strokeDasharray="4 3"
            className="stroke-text"
          />
        )}
      </svg>
      <figcaption className="flex justify-between text-xs text-muted tabular-nums">
        <span>{short(from)}</span>
        <span>{line === null ? t('anomalies.score') : t('anomalies.from', { score: short(line) })}</span>
        <span>{short(to)}</span>
      </figcaption>
    </figure>
  );
}
