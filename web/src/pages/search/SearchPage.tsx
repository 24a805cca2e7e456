import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Search, SearchX } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useProjectId } from '@/app/project';
import { useUrl } from '@/lib/url';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { INPUT } from '@/ui/Field';
import { useTitle } from '@/ui/Page';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Viewer } from '@/viewer/Viewer';
import { queryOf } from '@/lib/searches';
import { Hits } from './Hits';
import { Saved } from './Saved';
import { Terms } from './Terms';
import {
  ask,
  isAsked,
  readTerms,
  readThreshold,
  writeTerms,
  writeThreshold,
  type Answer,
  type Term,
} from './terms';

const PAUSE_MS = 250;
let files = 0;

/** What a search could be called. */
function nameOf(words: string, terms: readonly Term[]): string {
  const parts = terms.map(({ kind, value, not }) => {
    const name = kind === 'id' ? t('search.picture', { id: value }) : value;
    return not ? `−${name}` : name;
  });
  return [words.trim(), ...parts].filter(Boolean).join(', ');
}

/** Words as they are typed, and later in the address. */
function useWords(url: string, onSettled: (words: string) => void): [string, (words: string) => void] {
  const [words, setWords] = useState(url);
  const settled = useRef(url);
  const latest = useRef(onSettled);
  useEffect(() => {
    latest.current = onSettled;
  });
  // Somebody searched by the field at the top, or went back.
  useEffect(() => {
    if (url !== settled.current) setWords(url);
    settled.current = url;
  }, [url]);
  useEffect(() => {
    if (words === settled.current) return;
    const timer = setTimeout(() => {
      settled.current = words;
      latest.current(words);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return [words, setWords];
}

function Threshold({
  answer,
  value,
  onChange,
}: {
  answer: Answer;
  value: number;
  /** `least`: from there on all are shown. */
  onChange: (value: number, least: number) => void;
}) {
  const scores = answer.results.map((hit) => hit.score);
  const low = Math.min(...scores, answer.standard);
  const high = Math.max(...scores, answer.standard);
  if (scores.length < 2 || high - low < 0.001) return null;
  const at = (answer.standard - low) / (high - low);
  const shown = Math.max(low, Math.min(high, value));
  return (
    <label className="flex min-w-0 items-center gap-3">
      <span className="shrink-0 text-muted">{t('search.threshold')}</span>
      <span className="relative block w-48 max-md:w-32">
        <span
          aria-hidden
          title={t('search.line')}
          className="pointer-events-none absolute -top-1 h-8 w-0.5 bg-warn"
          style={{ left: `calc(8px + ${at} * (100% - 16px))` }}
        />
        <input
          type="range"
          min={low}
          max={high}
          step={(high - low) / 100}
          value={shown}
          aria-valuetext={number(shown, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
          onChange={(event) => onChange(Number(event.target.value), low)}
          className="block h-6 w-full pointer-coarse:h-11"
        />
      </span>
      <span className="w-10 tabular-nums">
        {number(shown, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
      </span>
    </label>
  );
}

export default function SearchPage() {
  useTitle(t('nav.search'));
  const [url, setUrl] = useUrl();
  const projectId = useProjectId();
  const [words, setWords] = useWords(url['q'] ?? '', (q) => setUrl({ q }, true));
  const [pictures, setPictures] = useState<readonly Term[]>([]);
  const threshold = readThreshold(url['min']);
  const [over, setOver] = useState(false);
  const like = url['like'];
  const terms = useMemo(() => {
    const kept = readTerms(url['mix']);
    const one: Term[] =
      like && /^\d+$/.test(like) ? [{ kind: 'id', value: like, weight: 1, not: false }] : [];
    return [...one, ...kept, ...pictures];
  }, [url, like, pictures]);
  const change = (next: Term[]) => {
    setPictures(next.filter((term) => term.kind === 'file'));
    setUrl({ mix: writeTerms(next), like: undefined }, true);
  };
  const addFiles = (list: readonly File[]) => {
    const images = list.filter((file) => file.type.startsWith('image/'));
    if (images.length === 0) return;
    const more = images.map(
      (file): Term => ({ kind: 'file', value: file.name, weight: 1, not: false, file, key: ++files }),
    );
    setPictures((old) => [...old, ...more].slice(-8));
  };
  const latest = useRef(addFiles);
  useEffect(() => {
    latest.current = addFiles;
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => latest.current([...(event.clipboardData?.files ?? [])]);
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, []);

  const asked = { words: url['q'] ?? '', terms, projectId };
  const wanted = isAsked(asked);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: [
      'search',
      asked.words.trim(),
      writeTerms(terms),
      pictures.map(({ key, not, weight }) => [key, not, weight]),
      projectId,
    ],
    queryFn: ({ signal }) => ask(asked, signal),
    enabled: wanted,
    placeholderData: keepPreviousData,
  });
  const answer = wanted ? data : undefined;
  const hits = answer?.results.filter((hit) => hit.score >= threshold) ?? [];
  const image = Number(url['image']) || null;
  const step = (by: 1 | -1) => {
    const next = hits[hits.findIndex((hit) => hit.id === image) + by];
    if (next) setUrl({ image: String(next.id) }, true);
  };

  return (
    <div
      className="relative h-full overflow-auto"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (event.currentTarget === event.target) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        addFiles([...event.dataTransfer.files]);
      }}
    >
      <div
        className={cx(
          'mx-auto flex max-w-7xl flex-col gap-4 p-4 md:p-6',
          over && 'outline-2 -outline-offset-8 outline-accent',
        )}
      >
        <h1 className="text-xl font-semibold">{t('nav.search')}</h1>
        <div className="relative">
          <Search
            size={18}
            aria-hidden
            className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-muted"
          />
          <input
            type="text"
            inputMode="search"
            aria-label={t('search.field')}
            placeholder={t('search.field')}
            value={words}
            onChange={(event) => setWords(event.target.value)}
            className={cx(INPUT, 'min-h-12 pl-10 text-base')}
          />
        </div>
        <Terms terms={terms} onChange={change} onFiles={addFiles} />
        <Saved
          query={wanted ? queryOf(url) : null}
          suggestion={nameOf(asked.words, terms)}
          hasFiles={pictures.length > 0}
          onGo={() => setPictures([])}
        />
        {!wanted ? (
          <Empty icon={Search} title={t('search.begin')} text={t('search.beginHint')} />
        ) : error ? (
          <Trouble error={error} onRetry={() => void refetch()} />
        ) : !answer ? (
          <Skeleton className="h-64" />
        ) : (
          <section aria-label={t('search.results')} aria-busy={isFetching} className="flex flex-col gap-3">
            <div className="flex min-h-10 flex-wrap items-center justify-between gap-3">
              <p role="status" className="text-muted">
                {answer.results.length === 0
                  ? ''
                  : answer.convincing
                    ? t('search.found', { n: hits.filter((hit) => hit.good).length })
                    : t('search.noGood')}
                {answer.note && ` ${answer.note}`}
              </p>
              <Threshold
                answer={answer}
                value={threshold}
                onChange={(min, least) =>
                  setUrl({ min: min > least ? writeThreshold(min) : undefined }, true)
                }
              />
            </div>
            {answer.results.length === 0 ? (
              <Empty icon={SearchX} title={t('search.nothing')} text={t('search.nothingHint')} />
            ) : (
              <Hits
                hits={hits}
                onOpen={(id) => setUrl({ image: String(id) })}
                onMore={(id, not) =>
                  change([
                    ...terms.filter(({ kind, value }) => kind !== 'id' || value !== String(id)),
                    { kind: 'id', value: String(id), weight: 1, not },
                  ])
                }
              />
            )}
          </section>
        )}
      </div>
      {image !== null && (
        <Viewer
          id={image}
          onClose={() => setUrl({ image: undefined })}
          onOpen={(id) => setUrl({ image: String(id) })}
          onStep={hits.some((hit) => hit.id === image) ? step : undefined}
        />
      )}
    </div>
  );
}
