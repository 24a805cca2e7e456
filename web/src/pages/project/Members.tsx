/* Who shares in a project, and how. */
import type { components } from '@magpie/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Crown, UserMinus, UserPlus, Users } from 'lucide-react';
import { magpie, queries, useUser } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { textOf } from '@/lib/form';
import { useUserName, type Project } from '@/lib/projects';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { useState } from 'react';

type Member = components['schemas']['Member'];
type Answer = { members: Member[] };
const ROLES = ['viewer', 'editor'] as const;

const byName = (a: Member, b: Member) => a.username.localeCompare(b.username);

/** Shown at once; as it was, where the service refuses. */
function useChanges(project: number) {
  const key = ['members', project];
  const put = (change: (list: Member[]) => Member[]): { before: Answer | undefined } => {
    const before = queries.getQueryData<Answer>(key);
    queries.setQueryData<Answer>(key, (old) => old && { members: change(old.members) });
    return { before };
  };
  const back = (error: unknown, _: unknown, shown: { before: Answer | undefined } | undefined) => {
    queries.setQueryData(key, shown?.before);
    toastError(error);
  };
  const settle = () => void queries.invalidateQueries({ queryKey: key });
  const path = `/api/projects/${project}/members`;
  const change = useMutation({
    mutationFn: ({ user_id, role }: Member) => magpie.json('PUT', path, { body: { user_id, role } }),
    onMutate: (member: Member) =>
      put((list) => [...list.filter((one) => one.user_id !== member.user_id), member].sort(byName)),
    onError: back,
    onSettled: settle,
  });
  const drop = useMutation({
    mutationFn: ({ user_id }: Member) => magpie.json('DELETE', `${path}/${user_id}`),
    onMutate: (member: Member) => put((list) => list.filter((one) => one.user_id !== member.user_id)),
    onSuccess: (_, member) =>
      toast({
        text: t('work.member.out', { name: member.username }),
        action: { label: t('app.undo'), run: () => change.mutate(member) },
      }),
    onError: back,
    onSettled: settle,
  });
  return { change, drop };
}

function AddMember({ project }: { project: number }) {
  const [role, setRole] = useState<Member['role']>('viewer');
  const add = useMutation({
    mutationFn: (username: string) =>
      magpie.json<Member>('PUT', `/api/projects/${project}/members`, { body: { username, role } }),
    onSuccess: ({ username }) => {
      toast({ text: t('work.member.in', { name: username }) });
      void queries.invalidateQueries({ queryKey: ['members', project] });
    },
  });
  return (
    <form
      className="flex flex-col gap-3 rounded-md border border-line bg-surface p-4"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        add.mutate(textOf(new FormData(form), 'username').trim(), { onSuccess: () => form.reset() });
      }}
    >
      <h2 className="font-medium">{t('work.member.add')}</h2>
      <div className="flex flex-wrap items-end gap-3">
        <Field
          label={t('work.member.name')}
          name="username"
          required
          maxLength={254}
          autoComplete="off"
          className="min-w-48 flex-1"
        />
        <Select
          label={t('work.member.role')}
          value={role}
          options={ROLES.map((one) => [one, t(`work.role.${one}`)] as const)}
          onChange={setRole}
          className="w-36"
        />
        <Button type="submit" look="primary" icon={UserPlus} busy={add.isPending}>
          {t('work.member.do')}
        </Button>
      </div>
      <p className="text-muted">{t(`work.member.${role}`)}</p>
      {add.error && <Trouble error={add.error} />}
    </form>
  );
}

function Owner({ project }: { project: Project }) {
  const name = useUserName(project.owner_id ?? 0);
  return (
    <li className="flex min-h-13 items-center gap-3 border-b border-line px-4 py-2 last:border-0">
      <Crown size={18} aria-hidden className="shrink-0 text-muted" />
      <span className="min-w-0 flex-1 truncate font-medium">
        {project.owner_id
          ? (name ?? t('work.userNumber', { id: String(project.owner_id) }))
          : t('work.member.nobody')}
      </span>
      <span className="text-muted">{t('work.role.owner')}</span>
    </li>
  );
}

export function Members({ project, may }: { project: Project; may: boolean }) {
  const user = useUser();
  const { data, error, refetch } = useQuery({
    queryKey: ['members', project.id],
    queryFn: ({ signal }) => magpie.json<Answer>('GET', `/api/projects/${project.id}/members`, { signal }),
  });
  const { change, drop } = useChanges(project.id);
  return (
    <div className="flex max-w-3xl flex-col gap-4">
      {may && <AddMember project={project.id} />}
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-28" />
      ) : (
        <>
          <ul aria-label={t('work.project.members')} className="rounded-md border border-line bg-surface">
            <Owner project={project} />
            {data.members.map((member) => (
              <li
                key={member.user_id}
                className="flex min-h-13 items-center gap-3 border-b border-line px-4 py-2 last:border-0"
              >
                <Users size={18} aria-hidden className="shrink-0 text-muted" />
                <span className="min-w-0 flex-1 truncate">
                  {member.username}
                  {member.user_id === user?.id && <span className="text-muted"> · {t('work.you')}</span>}
                </span>
                {may ? (
                  <>
                    <Select
                      bare
                      label={t('work.member.roleOf', { name: member.username })}
                      value={member.role}
                      options={ROLES.map((one) => [one, t(`work.role.${one}`)] as const)}
                      onChange={(role) => change.mutate({ ...member, role })}
                      className="w-32"
                    />
                    <IconButton
                      icon={UserMinus}
                      label={t('app.remove', { what: member.username })}
                      onClick={() => drop.mutate(member)}
                    />
                  </>
                ) : (
                  <span className="text-muted">{t(`work.role.${member.role}`)}</span>
                )}
              </li>
            ))}
          </ul>
          {data.members.length === 0 && (
            <Empty
              icon={Users}
              title={t('work.member.none')}
              text={t(may ? 'work.member.noneHint' : 'work.member.noneRead')}
            />
          )}
        </>
      )}
    </div>
  );
}
