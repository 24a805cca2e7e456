import { FolderInput, Tag, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjects, type Project } from '@/app/project';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';
import { RoomyButton } from '@/ui/RoomyButton';
import { MoveForm } from './Move';

function TagForm({
  n,
  onTag,
  onClose,
}: {
  n: number;
  onTag: (add: string[], remove: string[]) => void;
  onClose: () => void;
}) {
  const list = (form: FormData, name: string) => {
    const text = form.get(name);
    return typeof text === 'string'
      ? text
          .split(',')
          .map((tag) => tag.trim())
          .filter(Boolean)
      : [];
  };
  return (
    <Dialog title={t('bulk.tagTitle', { n })} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          onTag(list(form, 'add'), list(form, 'remove'));
          onClose();
        }}
      >
        <Field label={t('bulk.add')} name="add" hint={t('bulk.commas')} autoFocus />
        <Field label={t('bulk.takeOff')} name="remove" hint={t('bulk.commas')} />
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

export interface BulkProps {
  n: number;
  may: boolean;
  /** The project that all of them are in, where that is known. */
  from: number | undefined;
  onClear: () => void;
  onTag: (add: string[], remove: string[]) => void;
  onMove: (project: Project) => void;
  onDelete: () => void;
}

/** What can be done with all that are chosen. */
export function Bulk({ n, may, from, onClear, onTag, onMove, onDelete }: BulkProps) {
  const { data: projects = [] } = useProjects();
  const [open, setOpen] = useState<'tag' | 'move' | null>(null);
  const movable = projects.some((one) => one.id !== from) && projects.length > 1;
  useShortcuts(
    [
      { keys: 't', label: t('bulk.tag'), run: () => setOpen('tag') },
      { keys: 'Delete', label: t('bulk.delete'), run: onDelete },
    ],
    may,
  );
  useShortcuts([{ keys: 'm', label: t('move.open'), run: () => setOpen('move') }], may && movable);
  const close = () => setOpen(null);
  return (
    <div
      role="toolbar"
      aria-label={t('bulk.label')}
      className="absolute inset-x-3 bottom-3 z-30 mx-auto flex max-w-xl items-center gap-2 rounded-md border border-line-strong bg-surface p-2 shadow-lg"
    >
      <IconButton icon={X} label={t('grid.clear')} onClick={onClear} />
      <span aria-live="polite" className="min-w-0 flex-1 truncate font-medium">
        {t('bulk.chosen', { n })}
      </span>
      {may && (
        <>
          <RoomyButton icon={Tag} aria-keyshortcuts="t" onClick={() => setOpen('tag')}>
            {t('bulk.tag')}
          </RoomyButton>
          {movable && (
            <RoomyButton icon={FolderInput} aria-keyshortcuts="m" onClick={() => setOpen('move')}>
              {t('move.open')}
            </RoomyButton>
          )}
          <RoomyButton look="danger" icon={Trash2} aria-keyshortcuts="Delete" onClick={onDelete}>
            {t('bulk.delete')}
          </RoomyButton>
        </>
      )}
      {open === 'tag' && <TagForm n={n} onTag={onTag} onClose={close} />}
      {open === 'move' && <MoveForm n={n} from={from} onMove={onMove} onClose={close} />}
    </div>
  );
}
