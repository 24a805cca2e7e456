import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { magpie, queries } from '@/app/session';
import type { Project } from '@/lib/projects';
import { textOf } from '@/lib/form';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import { Trouble } from '@/ui/Trouble';

export function NewProject({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: (form: FormData) =>
      magpie.json<Project>('POST', '/api/projects', {
        body: { name: textOf(form, 'name').trim(), description: textOf(form, 'description').trim() },
      }),
    onSuccess: ({ id }) => {
      void queries.invalidateQueries({ queryKey: ['projects'] });
      onClose();
      void navigate({ to: `/projects/${id}` });
    },
  });
  return (
    <Dialog title={t('work.projects.make')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate(new FormData(event.currentTarget));
        }}
      >
        <Field
          label={t('work.projects.name')}
          name="name"
          required
          maxLength={255}
          pattern=".*\S.*"
          autoFocus
          autoComplete="off"
        />
        <TextArea label={t('work.projects.description')} name="description" maxLength={8000} />
        {make.error && <Trouble error={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" look="primary" busy={make.isPending}>
            {t('work.projects.do')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
