import { Search, X } from 'lucide-react';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { INPUT } from '@/ui/Field';
import { Trouble } from '@/ui/Trouble';
import type { Hits } from './data';

/** Words whose hits are lit up on the map. */
export function Words({
  words,
  onWords,
  hits,
  busy,
  error,
  onFit,
  onChoose,
}: {
  words: string;
  onWords: (words: string) => void;
  hits: Hits | undefined;
  busy: boolean;
  error: unknown;
  onFit: () => void;
  onChoose: () => void;
}) {
  const n = hits?.scores.size ?? 0;
  return (
    <section aria-label={t('explore.search')} className="flex flex-col gap-2">
      <form
        role="search"
        aria-label={t('explore.search')}
        className="relative"
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get('words');
          onWords(typeof text === 'string' ? text.trim() : '');
        }}
      >
        <Search
          size={16}
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-muted"
        />
        <input
          key={words}
          name="words"
          defaultValue={words}
          aria-label={t('explore.searchField')}
          placeholder={t('explore.searchField')}
          autoComplete="off"
          enterKeyHint="search"
          className={`${INPUT} pr-10 pl-9`}
        />
        {words && (
          <IconButton
            icon={X}
            label={t('explore.endSearch')}
            onClick={() => onWords('')}
            className="absolute top-0 right-0"
          />
        )}
      </form>
      {error ? <Trouble error={error} /> : null}
      {words && !error && (
        <div className="flex flex-wrap items-center gap-2">
          <p aria-live="polite" className="min-w-0 flex-1 text-muted">
            {busy ? t('explore.searching') : n === 0 ? t('explore.noHits') : t('explore.hits', { n })}
          </p>
          {n > 0 && (
            <>
              <Button look="quiet" className="px-2 text-accent" onClick={onFit}>
                {t('explore.fitHits')}
              </Button>
              <Button look="quiet" className="px-2 text-accent" onClick={onChoose}>
                {t('explore.chooseHits')}
              </Button>
            </>
          )}
        </div>
      )}
    </section>
  );
}
