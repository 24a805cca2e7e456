/* The question: words, a picture, and how much each of them counts. */
import { ImagePlus, Search, X } from 'lucide-react';
import { useRef, useState } from 'react';
import { Thumb } from '@/grid/Picture';
import { useQuery } from '@tanstack/react-query';
import { magpie } from '@/app/session';
import { t, number } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { INPUT } from '@/ui/Field';
import { LocalPicture } from '@/ui/LocalPicture';
import { RangeField } from '@/ui/RangeField';
import type { Image } from '@/viewer/Facts';
import { useProduct } from './products';
import type { Like } from './search';

const PICTURE = 'size-12 rounded-md bg-sunken object-cover';

function OfLibrary({ id }: { id: number }) {
  const { data } = useQuery({
    queryKey: ['image', id],
    queryFn: ({ signal }) => magpie.json<Image>('GET', `/api/images/${id}`, { signal }),
  });
  return (
    <>
      {data ? <Thumb src={data.preview_url} alt="" className={PICTURE} /> : <span className={PICTURE} />}
      <span className="truncate">{data ? data.title || data.name : t('search.picture', { id })}</span>
    </>
  );
}

function OfProduct({ id }: { id: number }) {
  const { data } = useProduct(id);
  return (
    <>
      {data?.preview_url ? (
        <Thumb src={data.preview_url} alt="" className={PICTURE} />
      ) : (
        <span className={PICTURE} />
      )}
      <span className="truncate">{t('catalogue.search.like', { name: data?.title ?? id })}</span>
    </>
  );
}

function Shown({ like, onRemove }: { like: Like; onRemove: () => void }) {
  return (
    <div className="flex max-w-80 min-w-0 items-center gap-2 rounded-md border border-line bg-surface p-1">
      {like.kind === 'file' ? (
        <>
          <LocalPicture file={like.file} alt="" className={PICTURE} />
          <span className="truncate">{like.file.name}</span>
        </>
      ) : like.kind === 'image' ? (
        <OfLibrary id={like.id} />
      ) : (
        <OfProduct id={like.id} />
      )}
      <IconButton icon={X} label={t('catalogue.search.dropPicture')} onClick={onRemove} />
    </div>
  );
}

export interface AskProps {
  words: string;
  like: Like | null;
  weight: number;
  onWords: (words: string) => void;
  onPicture: (file: File) => void;
  onNoPicture: () => void;
  onWeight: (weight: number) => void;
}

export function Ask({ words, like, weight, onWords, onPicture, onNoPicture, onWeight }: AskProps) {
  const [typed, setTyped] = useState(words);
  const [from, setFrom] = useState(words);
  const [moving, setMoving] = useState(weight);
  const [settled, setSettled] = useState(weight);
  const input = useRef<HTMLInputElement>(null);
  if (from !== words) {
    setFrom(words);
    setTyped(words);
  }
  if (settled !== weight) {
    setSettled(weight);
    setMoving(weight);
  }
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <form
        role="search"
        aria-label={t('catalogue.search.label')}
        className="flex min-w-60 flex-1 gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          onWords(typed.trim());
        }}
      >
        <div className="relative min-w-0 flex-1">
          <Search
            size={16}
            aria-hidden
            className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-muted"
          />
          <input
            type="search"
            aria-label={t('catalogue.search.field')}
            placeholder={t('catalogue.search.field')}
            value={typed}
            data-search
            autoComplete="off"
            onChange={(event) => {
              setTyped(event.target.value);
              // The cross in the field: the whole catalogue again.
              if (event.target.value === '') onWords('');
            }}
            className={INPUT + ' pl-9'}
          />
        </div>
        <Button type="submit" aria-label={t('catalogue.search.do')} icon={Search}>
          <span className="max-sm:hidden">{t('catalogue.search.do')}</span>
        </Button>
        <Button
          icon={ImagePlus}
          aria-label={t('catalogue.search.picture')}
          onClick={() => input.current?.click()}
        >
          <span className="max-sm:hidden">{t('catalogue.search.picture')}</span>
        </Button>
        <input
          ref={input}
          type="file"
          accept="image/*"
          hidden
          data-pick="search"
          onChange={(event) => {
            const [file] = event.target.files ?? [];
            if (file) onPicture(file);
            event.target.value = '';
          }}
        />
      </form>
      {like && <Shown like={like} onRemove={onNoPicture} />}
      {words.trim() !== '' && (
        <RangeField
          label={t('catalogue.search.weight')}
          shown={
            moving === 0
              ? t('catalogue.search.pictureOnly')
              : moving === 1
                ? t('catalogue.search.wordsOnly')
                : t('catalogue.search.both', {
                    words: number(moving, { style: 'percent' }),
                    picture: number(1 - moving, { style: 'percent' }),
                  })
          }
          min={0}
          max={1}
          step={0.1}
          value={moving}
          onChange={setMoving}
          onSettle={(next) => {
            if (next !== weight) onWeight(next);
          }}
          className="w-72 max-sm:w-full"
        />
      )}
    </div>
  );
}
