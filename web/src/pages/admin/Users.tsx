import { useMutation } from '@tanstack/react-query';
import {
  Ban,
  CircleCheck,
  MoreHorizontal,
  ScrollText,
  Trash2,
  UserPlus,
  Users as UsersIcon,
} from 'lucide-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { magpie, queries, useUser, type User } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { useUrl } from '@/lib/url';
import { date, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Menu, MenuItem } from '@/ui/Menu';
import { More } from '@/ui/More';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { NewUser } from './NewUser';
import { changeUser, roleOptions, showUser, useUsers, type Role } from './people';
import { SearchInput } from './SearchInput';

/** Shown at once; taken back, with the reason, when the service refuses. */
function useChange() {
  return useMutation({
    mutationFn: ({ user, ...patch }: { user: User; role?: Role; active?: boolean }) =>
      changeUser(user.id, patch),
    onMutate: ({ user, ...patch }) => showUser(user.id, patch),
    onError: (error, _, back) => {
      back?.();
      toastError(error);
    },
    onSuccess: ({ username, role, active }, asked) => {
      toast({
        text:
          asked.role !== undefined
            ? t('admin.users.roleChanged', { name: username, role: t(`nav.role.${role}`) })
            : active
              ? t('admin.users.enabled', { name: username })
              : t('admin.users.disabledNow', { name: username }),
      });
      void queries.invalidateQueries({ queryKey: ['users'] });
    },
  });
}

function Row({
  user,
  mine,
  onChange,
  onDelete,
}: {
  user: User;
  mine: boolean;
  onChange: ReturnType<typeof useChange>['mutate'];
  onDelete: () => void;
}) {
  const navigate = useNavigate();
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2 border-b border-line py-2 md:grid-cols-[minmax(0,2fr)_10rem_8rem_11rem_auto]">
      <div className={cx('min-w-0', !user.active && 'text-muted')}>
        <p className="truncate font-medium">
          {user.username}
          {mine && <span className="ml-2 font-normal text-muted">{t('admin.users.you')}</span>}
        </p>
        <p className="truncate text-muted">{user.email || t('admin.users.noEmail')}</p>
      </div>
      <Select
        bare
        label={t('admin.users.roleOf', { name: user.username })}
        value={user.role}
        options={roleOptions()}
        disabled={mine}
        onChange={(event) => onChange({ user, role: event.target.value as Role })}
        className="max-md:order-last max-md:col-span-2"
      />
      <p className={cx('max-md:order-3', user.active ? 'text-ok' : 'text-danger')}>
        {user.active ? t('admin.users.active') : t('admin.users.disabled')}
      </p>
      <p className="text-muted max-md:hidden" title={date(user.created_at * 1000)}>
        {t('admin.users.since', { when: date(user.created_at * 1000, { dateStyle: 'medium' }) })}
      </p>
      <div className="justify-self-end max-md:col-start-2 max-md:row-start-1">
        <Menu
          trigger={
            <IconButton icon={MoreHorizontal} label={t('admin.users.more', { name: user.username })} />
          }
        >
          <MenuItem
            icon={ScrollText}
            onSelect={() => void navigate({ to: '/admin', search: { tab: 'audit', user: String(user.id) } })}
          >
            {t('admin.users.audit')}
          </MenuItem>
          {!mine && (
            <MenuItem
              icon={user.active ? Ban : CircleCheck}
              onSelect={() => onChange({ user, active: !user.active })}
            >
              {user.active ? t('admin.users.disable') : t('admin.users.enable')}
            </MenuItem>
          )}
          {!mine && (
            <MenuItem icon={Trash2} danger onSelect={onDelete}>
              {t('admin.users.delete')}
            </MenuItem>
          )}
        </Menu>
      </div>
    </li>
  );
}

export function Users() {
  const [url, setUrl] = useUrl();
  const me = useUser();
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<User | null>(null);
  const change = useChange();
  const { q = '', role = '', active = '' } = url;
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useUsers({
    q,
    role,
    active,
  });
  useShortcuts([{ keys: 'n', label: t('admin.users.new'), run: () => setMaking(true) }]);
  const users = data?.pages.flatMap((page) => page.users);
  const filtered = q !== '' || role !== '' || active !== '';
  return (
    <>
      <div className="flex flex-wrap items-end gap-3">
        <SearchInput
          label={t('admin.users.search')}
          value={q}
          onChange={(text) => setUrl({ q: text || undefined }, true)}
        />
        <Select
          label={t('admin.users.role')}
          value={role}
          options={[['', t('admin.any')], ...roleOptions()]}
          onChange={(event) => setUrl({ role: event.target.value || undefined })}
          className="w-40 max-md:flex-1"
        />
        <Select
          label={t('admin.users.state')}
          value={active}
          options={[
            ['', t('admin.any')],
            ['true', t('admin.users.active')],
            ['false', t('admin.users.disabled')],
          ]}
          onChange={(event) => setUrl({ active: event.target.value || undefined })}
          className="w-40 max-md:flex-1"
        />
        <Button look="primary" icon={UserPlus} className="ml-auto" onClick={() => setMaking(true)}>
          {t('admin.users.new')}
        </Button>
      </div>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !users ? (
        <Skeleton className="h-60" />
      ) : users.length === 0 ? (
        <Empty icon={UsersIcon} title={t('admin.users.none')} text={t('admin.users.noneHint')}>
          {filtered && (
            <Button onClick={() => setUrl({ q: undefined, role: undefined, active: undefined })}>
              {t('admin.noFilter')}
            </Button>
          )}
        </Empty>
      ) : (
        <ul aria-label={t('admin.tab.users')}>
          {users.map((user) => (
            <Row
              key={user.id}
              user={user}
              mine={user.id === me?.id}
              onChange={change.mutate}
              onDelete={() => setDeleting(user)}
            />
          ))}
        </ul>
      )}
      {hasNextPage && <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} />}
      {making && <NewUser onClose={() => setMaking(false)} />}
      {deleting && (
        <Confirm
          title={t('admin.users.deleteTitle', { name: deleting.username })}
          action={t('admin.users.delete')}
          run={async () => {
            await magpie.json('DELETE', `/api/users/${deleting.id}`);
            showUser(deleting.id, null);
            toast({ text: t('admin.users.deleted', { name: deleting.username }) });
            void queries.invalidateQueries({ queryKey: ['users'] });
          }}
          onClose={() => setDeleting(null)}
        >
          <p>{t('admin.users.deleteText')}</p>
          <p className="text-muted">{t('admin.users.deleteHint')}</p>
        </Confirm>
      )}
    </>
  );
}
