import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useProjectId, useProjects } from '@/app/project';
import { magpie, queries, useUser } from '@/app/session';
import { textOf } from '@/lib/form';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { Trouble } from '@/ui/Trouble';

const PARTS = ['originals', 'thumbnails', 'vectors'] as const;
const MANIFESTS = ['json', 'csv', 'coco'] as const;

function Check({
  name,
  value,
  text,
  hint,
  on,
}: Record<'name' | 'value' | 'text' | 'hint', string> & { on: boolean }) {
  return (
    <label className="flex min-h-8 items-start gap-2">
      <input
        type="checkbox"
        name={name}
        value={value}
        defaultChecked={on}
        className="mt-0.5 size-5 shrink-0"
      />
      <span>
        {text}
        <span className="block text-muted">{hint}</span>
      </span>
    </label>
  );
}

/** Pictures, and what is known of them, as one ZIP file. */
export function NewExport({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const user = useUser();
  const staff = user?.role === 'admin' || user?.role === 'operator';
  const { data: projects } = useProjects();
  const chosen = useProjectId();
  const [project, setProject] = useState(String(chosen ?? ''));
  // The same click, sent twice, is one export.
  const [key] = useState(() => crypto.getRandomValues(new Uint32Array(4)).join('-'));
  const make = useMutation({
    mutationFn: (form: FormData) =>
      magpie.addExport(
        {
          ...(project ? { project_id: Number(project) } : {}),
          ...(textOf(form, 'where').trim() ? { where: textOf(form, 'where').trim() } : {}),
          ...(textOf(form, 'title').trim() ? { title: textOf(form, 'title').trim() } : {}),
          ...Object.fromEntries(PARTS.map((part) => [part, form.getAll('parts').includes(part)])),
          manifests: MANIFESTS.filter((one) => form.getAll('manifests').includes(one)),
        },
        key,
      ),
    onSuccess: ({ id }) => {
      void queries.invalidateQueries({ queryKey: ['jobs'] });
      onClose();
      void navigate({ to: `/jobs/${id}` });
    },
  });
  return (
    <Dialog title={t('work.export.title')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate(new FormData(event.currentTarget));
        }}
      >
        <p className="text-muted">{t('work.export.text')}</p>
        <Field
          label={t('work.export.name')}
          name="title"
          maxLength={200}
          autoComplete="off"
          autoFocus
          hint={t('work.export.nameHint')}
        />
        {projects && projects.length > 0 && (
          <Select
            label={t('nav.project')}
            value={project}
            options={[
              ['', t(staff ? 'nav.allProjects' : 'work.export.own')],
              ...projects.map((one) => [String(one.id), one.name] as const),
            ]}
            onChange={setProject}
          />
        )}
        <Field
          label={t('anomalies.normals.filterText')}
          name="where"
          maxLength={4000}
          autoComplete="off"
          hint={t('work.export.filterHint')}
        />
        <fieldset className="flex flex-col gap-1">
          <legend className="mb-1 font-medium">{t('work.export.parts')}</legend>
          {PARTS.map((part) => (
            <Check
              key={part}
              name="parts"
              value={part}
              text={t(`work.export.${part}`)}
              hint={t(`work.export.hint.${part}`)}
              on={part === 'originals'}
            />
          ))}
        </fieldset>
        <fieldset className="flex flex-col gap-1">
          <legend className="mb-1 font-medium">{t('work.export.manifests')}</legend>
          {MANIFESTS.map((one) => (
            <Check
              key={one}
              name="manifests"
              value={one}
              text={t(`work.export.${one}`)}
              hint={t(`work.export.hint.${one}`)}
              on={one === 'json'}
            />
          ))}
        </fieldset>
        {make.error && <Trouble error={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" look="primary" busy={make.isPending}>
            {t('work.export.do')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
