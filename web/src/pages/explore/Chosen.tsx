import { Crosshair, Images, MousePointerClick, ScanSearch, Tag, X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Thumb } from '@/grid/Picture';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';
import { useCells } from './data';

const PAGE = 60;

function TagForm({
  n,
  first,
  onTag,
  onClose,
}: {
  n: number;
  /** Why they are to be tagged. */
  first: string | undefined;
  onTag: (tags: string[]) => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={t('explore.tagTitle', { n })} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get('tags');
          const tags = (typeof text === 'string' ? text : '').split(',').map((tag) => tag.trim());
          onTag(tags.filter(Boolean));
          onClose();
        }}
      >
        {first !== undefined && <p className="text-muted">{first}</p>}
        <Field label={t('explore.tags')} name="tags" hint={t('explore.commas')} required autoFocus />
        <div className="flex justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" look="primary">
            {t('app.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function List({
  ids,
  onOpen,
  onShow,
  onDrop,
}: {
  ids: readonly number[];
  onOpen: (id: number) => void;
  onShow: (id: number) => void;
  onDrop: (id: number) => void;
}) {
  const [most, setMost] = useState(PAGE);
  const wanted = useMemo(() => ids.slice(0, most), [ids, most]);
  const { data = [] } = useCells(wanted);
  return (
    <>
      <ul aria-label={t('explore.list')} className="flex flex-col">
        {data.map((cell) => (
          <li key={cell.id} className="flex items-center gap-1 rounded-md hover:bg-sunken">
            <button
              type="button"
              onClick={() => onOpen(cell.id)}
              className="flex min-w-0 flex-1 items-center gap-2 rounded-md p-1 text-left"
            >
              <Thumb src={cell.preview_url} alt="" className="size-10 shrink-0 rounded-md" />
              <span className="min-w-0">
                <span className="block truncate">{cell.name}</span>
                {cell.tags.length > 0 && (
                  <span className="block truncate text-xs text-muted">{cell.tags.join(', ')}</span>
                )}
              </span>
            </button>
            <IconButton
              icon={Crosshair}
              size={15}
              label={t('explore.centre', { name: cell.name })}
              onClick={() => onShow(cell.id)}
              className="size-8 text-muted"
            />
            <IconButton
              icon={X}
              size={15}
              label={t('explore.drop', { name: cell.name })}
              onClick={() => onDrop(cell.id)}
              className="size-8 text-muted"
            />
          </li>
        ))}
      </ul>
      {ids.length > most && (
        <Button look="quiet" onClick={() => setMost(most + PAGE)}>
          {t('explore.more', { n: ids.length - most })}
        </Button>
      )}
    </>
  );
}

export interface ChosenProps {
  ids: readonly number[];
  /** Made up: nothing can be done with them. */
  bare: boolean;
  may: boolean;
  onClear: () => void;
  onAllInView: () => void;
  onOpen: (id: number) => void;
  onShow: (id: number) => void;
  onDrop: (id: number) => void;
  onTag: (tags: string[], open: boolean) => void;
  /** Undefined where there are too many for an address: they are tagged first. */
  onLibrary: (() => void) | undefined;
  onSimilar: () => void;
}

/** What is chosen: how many, what can be done with them, and each of them, for who cannot use the canvas. */
export function Chosen(props: ChosenProps) {
  const { ids, bare, may } = props;
  const [tagging, setTagging] = useState<'tag' | 'open' | null>(null);
  const n = ids.length;
  return (
    <section aria-label={t('explore.selection')} className="flex min-h-0 flex-col gap-2">
      <div className="flex items-center gap-1">
        <h2 aria-live="polite" className="min-w-0 flex-1 font-medium">
          {n === 0 ? t('explore.nothing') : t('explore.chosen', { n })}
        </h2>
        {n > 0 && <IconButton icon={X} label={t('explore.clear')} onClick={props.onClear} />}
      </div>
      {n === 0 && <p className="text-muted">{t('explore.howTo')}</p>}
      <div className="flex flex-wrap gap-2">
        {n === 0 && (
          <Button icon={MousePointerClick} onClick={props.onAllInView}>
            {t('explore.allInView')}
          </Button>
        )}
        {n > 0 && !bare && (
          <>
            {may && (
              <Button icon={Tag} onClick={() => setTagging('tag')}>
                {t('explore.tag')}
              </Button>
            )}
            {(props.onLibrary ?? may) && (
              <Button icon={Images} onClick={props.onLibrary ?? (() => setTagging('open'))}>
                {t('explore.library')}
              </Button>
            )}
            <Button icon={ScanSearch} onClick={props.onSimilar}>
              {t('explore.similar')}
            </Button>
          </>
        )}
      </div>
      {n > 0 && !bare && <List ids={ids} onOpen={props.onOpen} onShow={props.onShow} onDrop={props.onDrop} />}
      {tagging && (
        <TagForm
          n={n}
          first={tagging === 'open' ? t('explore.tooManyToOpen') : undefined}
          onTag={(tags) => props.onTag(tags, tagging === 'open')}
          onClose={() => setTagging(null)}
        />
      )}
    </section>
  );
}
