import { useState } from 'react';
import { useProjects, type Project } from '@/app/project';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';

/** Which project the chosen pictures go to; all but the one that they are in, where that is known. */
export function MoveForm({
  n,
  from,
  onMove,
  onClose,
}: {
  n: number;
  from: number | undefined;
  onMove: (project: Project) => void;
  onClose: () => void;
}) {
  const { data = [] } = useProjects();
  const others = data.filter((one) => one.id !== from);
  const [chosen, setChosen] = useState(others[0]?.id ?? 0);
  return (
    <Dialog title={t('move.title', { n })} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const project = others.find((one) => one.id === chosen);
          if (!project) return;
          onMove(project);
          onClose();
        }}
      >
        <fieldset className="flex max-h-72 flex-col gap-1 overflow-auto">
          <legend className="mb-1 font-medium">{t('move.where')}</legend>
          {others.map((one) => (
            <label key={one.id} className="flex min-h-9 items-center gap-2 pointer-coarse:min-h-11">
              <input
                type="radio"
                name="project"
                autoFocus={one.id === chosen}
                checked={one.id === chosen}
                onChange={() => setChosen(one.id)}
                className="size-4 accent-accent"
              />
              <span className="min-w-0 truncate">{one.name}</span>
            </label>
          ))}
        </fieldset>
        <p className="text-muted">{t('move.hint')}</p>
        <div className="flex justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" look="primary">
            {t('move.do')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
