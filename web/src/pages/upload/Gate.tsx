/* One question at a time: a picture that was not taken in, beside the one of the library that shows the same. */
import { useQuery } from '@tanstack/react-query';
import { CopyPlus, Replace, SkipForward } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { useShortcuts } from '@/app/keys';
import { magpie } from '@/app/session';
import { bytes, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Keycap } from '@/ui/Keycap';
import { LocalPicture } from '@/ui/LocalPicture';
import { decide, type Item } from '@/upload/queue';
import type { Answer, Match } from '@/upload/gate';
import type { Image } from '@/viewer/Facts';

interface Look {
  title: string;
  name: string;
  width: number;
  height: number;
  size: number | undefined;
  taller: boolean;
  heavier: boolean;
}

/** Of two, what is larger stands out: that is mostly what the choice is about. */
function Side({ look, children }: { look: Look; children: ReactNode }) {
  return (
    <figure className="flex min-w-0 flex-1 flex-col">
      <div className="flex h-64 items-center justify-center overflow-hidden rounded-md bg-sunken max-md:h-40">
        {children}
      </div>
      <figcaption className="pt-2">
        <p className="font-medium text-muted">{look.title}</p>
        <p className="truncate" title={look.name}>
          {look.name}
        </p>
        <p className="tabular-nums">
          <span className={cx(look.taller && 'font-semibold')}>
            {look.width > 0
              ? t('viewer.pixels', { width: look.width, height: look.height })
              : t('viewer.unknown')}
          </span>
          {look.size !== undefined && (
            <>
              {' · '}
              <span className={cx(look.heavier && 'font-semibold')}>{bytes(look.size)}</span>
            </>
          )}
        </p>
      </figcaption>
    </figure>
  );
}

function Sides({ item, match }: { item: Item; match: Match }) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [shown, setShown] = useState(true);
  const { data: old } = useQuery({
    queryKey: ['image', match.id],
    queryFn: ({ signal }) => magpie.json<Image>('GET', `/api/images/${match.id}`, { signal }),
  });
  const area = size.width * size.height;
  const theirs = old ? old.width * old.height : 0;
  return (
    <div className="flex gap-3">
      <Side
        look={{
          title: t('gate.fresh'),
          name: item.path,
          ...size,
          size: item.file.size,
          taller: area > theirs && theirs > 0,
          heavier: old !== undefined && item.file.size > old.bytes,
        }}
      >
        {shown ? (
          <LocalPicture
            file={item.file}
            alt={t('gate.fresh')}
            className="size-full object-contain"
            onLoad={(image) => setSize({ width: image.naturalWidth, height: image.naturalHeight })}
            onError={() => setShown(false)}
          />
        ) : (
          <p className="p-4 text-center text-muted">{t('gate.noPreview')}</p>
        )}
      </Side>
      <Side
        look={{
          title: t('gate.old'),
          name: old ? old.title || old.name : '',
          width: old?.width ?? 0,
          height: old?.height ?? 0,
          size: old?.bytes,
          taller: theirs > area && area > 0,
          heavier: old !== undefined && old.bytes > item.file.size,
        }}
      >
        <img
          src={`${match.preview_url}&size=1024`}
          alt={t('gate.old')}
          className="size-full object-contain"
        />
      </Side>
    </div>
  );
}

const BUTTONS = [
  { answer: 'keep', key: 'k', icon: CopyPlus },
  { answer: 'skip', key: 's', icon: SkipForward },
  { answer: 'replace', key: 'r', icon: Replace },
] as const;

export function Gate({ items }: { items: readonly Item[] }) {
  const [all, setAll] = useState(false);
  const item = items[0];
  const match = item?.match;
  const say = (answer: Answer) => {
    if (!item) return;
    decide(item.id, answer, all);
    setAll(false);
  };
  useShortcuts([
    ...BUTTONS.map(({ answer, key }) => ({
      keys: key,
      label: t(`gate.answer.${answer}`),
      run: () => say(answer),
    })),
    { keys: 'a', label: t('gate.all'), run: () => setAll(!all) },
  ]);
  if (!item || !match) return null;
  const sure = number(match.score, { style: 'percent', maximumFractionDigits: 0 });
  return (
    <section
      aria-label={t('gate.title')}
      className="flex flex-col gap-4 rounded-md border border-line-strong bg-surface p-4"
    >
      <div>
        <div className="flex flex-wrap items-baseline justify-between gap-x-4">
          <h2 className="text-lg font-semibold">{t('gate.title')}</h2>
          <p role="status" className="text-muted">
            {t('gate.open', { n: items.length })}
          </p>
        </div>
        <p className="text-muted">
          {t(`duplicates.relation.${match.relation}`)} · {t('duplicates.sure', { score: sure })}
        </p>
      </div>
      <Sides key={item.id} item={item} match={match} />
      <div className="flex flex-wrap items-center gap-2">
        {BUTTONS.map(({ answer, key, icon }) => (
          <Button
            key={answer}
            icon={icon}
            title={t(`gate.hint.${answer}`)}
            aria-keyshortcuts={key}
            onClick={() => say(answer)}
            className="whitespace-nowrap max-md:flex-auto max-md:px-2"
          >
            {t(`gate.answer.${answer}`)}
            <Keycap>{key.toUpperCase()}</Keycap>
          </Button>
        ))}
        <label className="flex min-h-9 items-center gap-2 px-2 pointer-coarse:min-h-11">
          <input
            type="checkbox"
            checked={all}
            aria-keyshortcuts="a"
            onChange={(event) => setAll(event.target.checked)}
            className="size-4"
          />
          {t('gate.all')}
          <Keycap>A</Keycap>
        </label>
      </div>
    </section>
  );
}
