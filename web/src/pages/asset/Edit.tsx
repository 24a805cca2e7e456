import { useMutation } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { magpie } from '@/app/session';
import { textOf } from '@/lib/form';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field, INPUT } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import { Trouble } from '@/ui/Trouble';
import { read, shown, type Asset } from './asset';

interface Member {
  row: number;
  key: string;
  value: string;
}

function membersOf(metadata: Record<string, unknown>): Member[] {
  return Object.entries(metadata).map(([key, value], row) => ({ row, key, value: shown(value) }));
}

/** What is said of an asset: name, title, words, and members of any name. */
export function Edit({
  asset,
  onClose,
  onDone,
}: {
  asset: Asset;
  onClose: () => void;
  onDone: (now: Asset) => void;
}) {
  const [members, setMembers] = useState(() => membersOf(asset.metadata));
  const save = useMutation({
    mutationFn: (form: FormData) =>
      magpie.json<Asset>('PATCH', `/api/assets/${asset.id}`, {
        body: {
          name: textOf(form, 'name').trim(),
          title: textOf(form, 'title').trim(),
          description: textOf(form, 'description').trim(),
          metadata: Object.fromEntries(
            members.filter(({ key }) => key.trim() !== '').map(({ key, value }) => [key.trim(), read(value)]),
          ),
        },
      }),
    onSuccess: onDone,
  });
  const patch = (row: number, change: Partial<Member>) =>
    setMembers(members.map((one) => (one.row === row ? { ...one, ...change } : one)));
  return (
    <Dialog title={t('work.asset.editTitle')} onClose={onClose} wide>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(new FormData(event.currentTarget));
        }}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          <Field
            label={t('work.asset.titleField')}
            name="title"
            defaultValue={asset.title}
            maxLength={512}
            autoFocus
          />
          <Field
            label={t('work.asset.file')}
            name="name"
            defaultValue={asset.name}
            required
            maxLength={255}
            pattern="[^\/]+"
          />
        </div>
        <TextArea
          label={t('work.projects.description')}
          name="description"
          defaultValue={asset.description}
          maxLength={8000}
        />
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 font-medium">{t('work.asset.metadata')}</legend>
          {members.map((one) => (
            <div key={one.row} className="flex gap-2">
              <input
                aria-label={t('work.asset.member')}
                value={one.key}
                maxLength={255}
                onChange={(event) => patch(one.row, { key: event.target.value })}
                className={`${INPUT} max-w-48`}
              />
              <input
                aria-label={t('work.asset.value', { name: one.key })}
                value={one.value}
                onChange={(event) => patch(one.row, { value: event.target.value })}
                className={INPUT}
              />
              <IconButton
                icon={X}
                label={t('app.remove', { what: one.key || t('work.asset.member') })}
                onClick={() => setMembers(members.filter((other) => other.row !== one.row))}
              />
            </div>
          ))}
          <div>
            <Button
              icon={Plus}
              onClick={() =>
                setMembers([
                  ...members,
                  { row: Math.max(-1, ...members.map((one) => one.row)) + 1, key: '', value: '' },
                ])
              }
            >
              {t('work.asset.addMember')}
            </Button>
          </div>
          <p className="text-muted">{t('work.asset.metadataHint')}</p>
        </fieldset>
        {save.error && <Trouble error={save.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {t('app.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
