/* How a project is set up: its name, what becomes of copies that come in, how long things are kept, its end. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Archive, ArchiveRestore, Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { toast, toastError } from '@/app/toasts';
import { textOf } from '@/lib/form';
import { changeProject, type Project } from '@/lib/projects';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import { Trouble } from '@/ui/Trouble';
import { RemoveProject } from '@/pages/projects/RemoveProject';
import { Notifications } from './Notifications';
import { configWith, MOST_DAYS, notificationsOf, type Notification } from './config';

function Part({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <fieldset className="flex min-w-0 flex-col gap-3 rounded-md border border-line bg-surface p-4">
      <legend className="sr-only">{title}</legend>
      <h2 aria-hidden className="font-medium">
        {title}
      </h2>
      {text && <p className="-mt-2 text-muted">{text}</p>}
      {children}
    </fieldset>
  );
}

function Gate({
  value,
  onChange,
}: {
  value: 'keep' | 'refuse';
  onChange: (value: 'keep' | 'refuse') => void;
}) {
  return (
    <Part title={t('work.config.copies')} text={t('work.config.copiesText')}>
      {(['keep', 'refuse'] as const).map((one) => (
        <label key={one} className="flex min-h-8 items-start gap-2">
          <input
            type="radio"
            name="near_duplicates"
            checked={value === one}
            onChange={() => onChange(one)}
            className="mt-0.5 size-5 shrink-0 accent-accent"
          />
          <span>
            <span className="font-medium">{t(`work.config.${one}`)}</span>
            <span className="block text-muted">{t(`work.config.${one}Text`)}</span>
          </span>
        </label>
      ))}
    </Part>
  );
}

function Retention({ days, onChange }: { days: number | null; onChange: (days: number | null) => void }) {
  return (
    <Part title={t('work.config.keepFor')} text={t('work.config.keepForText')}>
      <label className="flex min-h-8 items-center gap-2">
        <input
          type="checkbox"
          checked={days !== null}
          onChange={(event) => onChange(event.target.checked ? 365 : null)}
          className="size-5"
        />
        {t('work.config.remove')}
      </label>
      {days !== null && (
        <Field
          label={t('work.config.days')}
          type="number"
          min={1}
          max={MOST_DAYS}
          step={1}
          required
          value={days || ''}
          onChange={(event) => onChange(Math.trunc(Number(event.target.value)))}
          hint={t('work.config.daysHint')}
          className="max-w-sm"
        />
      )}
    </Part>
  );
}

function End({ project }: { project: Project }) {
  const navigate = useNavigate();
  const [removing, setRemoving] = useState(false);
  const archived = project.status === 'archived';
  const change = useMutation({
    mutationFn: (status: Project['status']) => changeProject(project, { status }),
    onSuccess: ({ name, status }) =>
      toast({
        text: t(status === 'active' ? 'work.projects.isActive' : 'work.projects.isArchived', { name }),
      }),
    onError: toastError,
  });
  return (
    <section className="flex flex-col gap-3 rounded-md border border-line bg-surface p-4">
      <h2 className="font-medium">{t('work.config.end')}</h2>
      <p className="-mt-2 text-muted">{t('work.config.endText')}</p>
      <div className="flex flex-wrap gap-2">
        <Button
          icon={archived ? ArchiveRestore : Archive}
          busy={change.isPending}
          onClick={() => change.mutate(archived ? 'active' : 'archived')}
        >
          {t(archived ? 'work.projects.activate' : 'work.projects.archive')}
        </Button>
        {!project.is_default && (
          <Button look="danger" icon={Trash2} onClick={() => setRemoving(true)}>
            {t('work.projects.remove')}
          </Button>
        )}
      </div>
      {project.is_default && <p className="text-muted">{t('work.config.defaultStays')}</p>}
      {removing && (
        <RemoveProject
          project={project}
          onClose={() => setRemoving(false)}
          onGone={() => void navigate({ to: '/projects' })}
        />
      )}
    </section>
  );
}

function Form({ project }: { project: Project }) {
  const [gate, setGate] = useState(project.config.near_duplicates ?? 'keep');
  const [days, setDays] = useState(project.config.retention_days ?? null);
  const [notifications, setNotifications] = useState<readonly Notification[]>(
    notificationsOf(project.config),
  );
  const save = useMutation({
    mutationFn: (form: FormData) =>
      changeProject(project, {
        name: textOf(form, 'name').trim(),
        description: textOf(form, 'description').trim(),
        config: configWith(project.config, { gate, days, notifications }),
      }),
    onSuccess: (now) => {
      setNotifications(notificationsOf(now.config));
      toast({ text: t('work.config.saved') });
    },
  });
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(new FormData(event.currentTarget));
      }}
    >
      <Part title={t('work.config.about')}>
        <Field
          label={t('work.projects.name')}
          name="name"
          required
          maxLength={255}
          pattern=".*\S.*"
          defaultValue={project.name}
          autoComplete="off"
        />
        <TextArea
          label={t('work.projects.description')}
          name="description"
          maxLength={8000}
          defaultValue={project.description}
        />
      </Part>
      <Gate value={gate} onChange={setGate} />
      <Retention days={days} onChange={setDays} />
      <Notifications list={notifications} onChange={setNotifications} />
      {save.error && <Trouble error={save.error} />}
      <div>
        <Button type="submit" look="primary" busy={save.isPending}>
          {t('work.config.save')}
        </Button>
      </div>
    </form>
  );
}

export function Settings({ project }: { project: Project }) {
  return (
    <div className="flex max-w-3xl flex-col gap-4">
      {project.status === 'active' && <Form project={project} />}
      <End project={project} />
    </div>
  );
}
