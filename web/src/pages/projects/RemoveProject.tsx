import { MagpieError } from '@magpie/client';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { chooseProject, project as chosen } from '@/app/project';
import { magpie, queries, useUser } from '@/app/session';
import { toast } from '@/app/toasts';
import { mayEmpty, type Project } from '@/lib/projects';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';
import { Trouble } from '@/ui/Trouble';

/** What cannot be taken back is asked for by its name; where nothing is lost, a click is enough. */
export function RemoveProject({
  project,
  onClose,
  onGone,
}: {
  project: Project;
  onClose: () => void;
  onGone?: () => void;
}) {
  const user = useUser();
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: (force: boolean) =>
      magpie.json('DELETE', `/api/projects/${project.id}`, { query: force ? { force } : {} }),
    onSuccess: () => {
      if (chosen.get() === project.id) chooseProject(0);
      toast({ text: t('work.projects.removed', { name: project.name }) });
      onClose();
      onGone?.();
      for (const key of ['projects', 'timeline', 'stats', 'recent'])
        void queries.invalidateQueries({ queryKey: [key] });
    },
  });
  // Products are not counted: the service says that there are some.
  const products = remove.error instanceof MagpieError && remove.error.status === 409;
  const full = project.assets > 0 || products;
  const may = !full || mayEmpty(user, project);
  return (
    <Dialog title={t('work.projects.removeTitle', { name: project.name })} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          remove.mutate(full);
        }}
      >
        <p>
          {full
            ? t(may ? 'work.projects.removeFull' : 'work.projects.removeFullNot', { n: project.assets })
            : t('work.projects.removeEmpty')}
        </p>
        {full && may && (
          <Field
            label={t('work.projects.typeName', { name: project.name })}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            autoFocus
          />
        )}
        {remove.error && <Trouble error={remove.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          {may && (
            <Button
              type="submit"
              look="danger"
              busy={remove.isPending}
              disabled={full && typed.trim() !== project.name.trim()}
            >
              {t('work.projects.removeDo')}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
