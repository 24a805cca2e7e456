import type { components } from '@magpie/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { MailPlus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { magpie, queries } from '@/app/session';
import { toast } from '@/app/toasts';
import { useWays } from '@/app/ways';
import { ago, date, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { Dialog } from '@/ui/Dialog';
import { Empty } from '@/ui/Empty';
import { Field } from '@/ui/Field';
import { Secret } from '@/ui/Secret';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { roleOptions, useNames, type Invite } from './people';
import { stateOf } from './invite';

type NewInvite = components['schemas']['NewInvite'];
const DAY_S = 24 * 3600;

function useInvites() {
  return useQuery({
    queryKey: ['invites'],
    queryFn: async ({ signal }) =>
      (await magpie.json<{ invites: Invite[] }>('GET', '/api/invites', { signal })).invites,
  });
}

function Invitation({ onClose }: { onClose: () => void }) {
  const [role, setRole] = useState('user');
  const [days, setDays] = useState('7');
  const add = useMutation({
    mutationFn: (email: string) => {
      const body = { role, expires_in_s: Number(days) * DAY_S, ...(email ? { email } : {}) };
      return magpie.json<NewInvite>('POST', '/api/invites', { body });
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['invites'] }),
  });
  const made = add.data;
  if (made)
    return (
      <Dialog title={t('admin.invites.made')} onClose={onClose}>
        <div className="flex flex-col gap-4">
          <Secret
            label={t('admin.invites.link')}
            value={`${location.origin}/register?invite=${made.token}`}
            hint={t('admin.invites.linkHint', { when: date(made.expires_at * 1000) })}
          />
          <div className="flex justify-end">
            <Button onClick={onClose}>{t('admin.done')}</Button>
          </div>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={t('admin.invites.new')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const email = new FormData(event.currentTarget).get('email');
          add.mutate(typeof email === 'string' ? email.trim() : '');
        }}
      >
        <Select
          label={t('admin.users.role')}
          value={role}
          options={roleOptions()}
          onChange={(event) => setRole(event.target.value)}
        />
        <Select
          label={t('admin.invites.valid')}
          value={days}
          options={['1', '7', '30', '90'].map((n) => [n, t('admin.invites.days', { n: Number(n) })])}
          onChange={(event) => setDays(event.target.value)}
        />
        <Field
          label={t('auth.emailOptional')}
          name="email"
          type="email"
          hint={t('admin.invites.emailHint')}
          autoComplete="off"
        />
        {add.error && <Trouble error={add.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button look="primary" type="submit" busy={add.isPending}>
            {t('admin.invites.make')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const COLOURS = { open: 'text-ok', used: 'text-muted', over: 'text-muted' };

function Row({ invite, onRevoke }: { invite: Invite; onRevoke: () => void }) {
  const nameOf = useNames();
  const [now] = useState(Date.now);
  const state = stateOf(invite, now);
  const role = t(`nav.role.${invite.role}`);
  return (
    <li className="flex items-center gap-4 border-b border-line py-2">
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">
          {invite.email ? t('admin.invites.for', { role, email: invite.email }) : role}
        </p>
        <p className="text-muted" title={date(invite.created_at * 1000)}>
          {t('admin.invites.by', { name: nameOf(invite.created_by), when: ago(invite.created_at * 1000) })}
        </p>
      </div>
      <p className={COLOURS[state]}>
        {state === 'open' && (
          <span title={date(invite.expires_at * 1000)}>
            {t('admin.invites.open', { when: ago(invite.expires_at * 1000) })}
          </span>
        )}
        {state === 'used' && t('admin.invites.used', { name: nameOf(invite.used_by ?? 0) })}
        {state === 'over' && t('admin.invites.over')}
      </p>
      <IconButton
        icon={Trash2}
        label={state === 'open' ? t('admin.invites.revoke') : t('admin.invites.forget')}
        onClick={onRevoke}
      />
    </li>
  );
}

export function Invites() {
  const { data, error, refetch } = useInvites();
  const { data: ways } = useWays();
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Invite | null>(null);
  useShortcuts([{ keys: 'n', label: t('admin.invites.new'), run: () => setMaking(true) }]);
  const button = (
    <Button look="primary" icon={MailPlus} onClick={() => setMaking(true)}>
      {t('admin.invites.new')}
    </Button>
  );
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="max-w-prose text-muted">
          {ways ? t(`admin.invites.registration.${ways.registration}`) : ''}
        </p>
        {data && data.length > 0 && button}
      </div>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-40" />
      ) : data.length === 0 ? (
        <Empty icon={MailPlus} title={t('admin.invites.none')} text={t('admin.invites.noneHint')}>
          {button}
        </Empty>
      ) : (
        <ul aria-label={t('admin.tab.invites')}>
          {data.map((invite) => (
            <Row key={invite.id} invite={invite} onRevoke={() => setRevoking(invite)} />
          ))}
        </ul>
      )}
      {making && <Invitation onClose={() => setMaking(false)} />}
      {revoking && (
        <Confirm
          title={t('admin.invites.revokeTitle')}
          action={t('admin.invites.revoke')}
          run={async () => {
            await magpie.json('DELETE', `/api/invites/${revoking.id}`);
            queries.setQueryData<Invite[]>(['invites'], (old) =>
              old?.filter((one) => one.id !== revoking.id),
            );
            toast({ text: t('admin.invites.revoked') });
          }}
          onClose={() => setRevoking(null)}
        >
          <p>{t('admin.invites.revokeText')}</p>
        </Confirm>
      )}
    </>
  );
}
