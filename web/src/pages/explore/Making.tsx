import { t } from '@/text';
import type { News } from './data';

function left({ done, total, elapsed_s }: News): string {
  if (total === 0 || done === 0 || done >= total || elapsed_s < 2) return '';
  const seconds = Math.ceil(((total - done) / done) * elapsed_s);
  return seconds < 90
    ? t('explore.secondsLeft', { n: seconds })
    : t('explore.minutesLeft', { n: Math.round(seconds / 60) });
}

const STAGES = new Set(['index', 'layout']);

/** The map is being made on the service; who leaves and comes back finds it further. */
export function Making({ news }: { news: News | undefined }) {
  const stage = news?.stage === 'index' || news?.stage === 'layout' ? news.stage : 'begin';
  const part = news && STAGES.has(news.stage) && news.total > 0 ? news.done / news.total : undefined;
  return (
    <div className="absolute inset-0 flex items-center justify-center p-6">
      <div
        className="flex w-full max-w-sm flex-col gap-3 rounded-md border border-line bg-surface p-6"
        role="status"
      >
        <h2 className="font-semibold">{t('explore.making')}</h2>
        <progress
          aria-label={t('explore.making')}
          {...(part === undefined ? {} : { value: part })}
          max={1}
          className="h-2 w-full accent-accent"
        />
        <p className="text-muted tabular-nums">
          {t(`explore.stage.${stage}`)} {news ? left(news) : ''}
        </p>
        <p className="text-muted">{t('explore.makingHint')}</p>
      </div>
    </div>
  );
}
