import { Tag, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';

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

/** What can be done with all that are chosen. */
export function Bulk({
  n,
  may,
  onClear,
  onTag,
  onDelete,
}: {
  n: number;
  may: boolean;
  onClear: () => void;
  onTag: (add: string[], remove: string[]) => void;
  onDelete: () => void;
}) {
  const [tagging, setTagging] = useState(false);
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
          <Button icon={Tag} onClick={() => setTagging(true)}>
            {t('bulk.tag')}
          </Button>
          <Button look="danger" icon={Trash2} onClick={onDelete}>
            {t('bulk.delete')}
          </Button>
        </>
      )}
      {tagging && <TagForm n={n} onTag={onTag} onClose={() => setTagging(false)} />}
    </div>
  );
}
