import { useQuery } from '@tanstack/react-query';
import { KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { magpie, queries, type User } from '@/app/session';
import { toast } from '@/app/toasts';
import { ago, date, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import type { Key } from './scopes';
import { NewKey } from './NewKey';
import { Part } from './Part';

function Row({ item, onRemove }: { item: Key; onRemove: () => void }) {
  const [now] = useState(Date.now);
  const over = item.expires_at !== null && item.expires_at * 1000 <= now;
  return (
    <li className="flex items-center gap-3 border-b border-line py-2 last:border-b-0">
      <KeyRound size={20} aria-hidden className="shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">{item.name}</p>
        <p className="text-xs break-words text-muted">
          <code>{item.scopes.join(' ')}</code>
        </p>
        <p className="text-muted">
          {item.last_used_at === null
            ? t('account.keys.unused')
            : t('account.keys.used', { when: ago(item.last_used_at * 1000) })}
          {' · '}
          {item.expires_at === null ? (
            t('account.keys.forever')
          ) : (
            <span className={over ? 'text-danger' : undefined} title={date(item.expires_at * 1000)}>
              {over
                ? t('account.keys.over')
                : t('account.keys.until', { when: date(item.expires_at * 1000, { dateStyle: 'medium' }) })}
            </span>
          )}
        </p>
      </div>
      <IconButton icon={Trash2} label={t('account.keys.remove', { name: item.name })} onClick={onRemove} />
    </li>
  );
}

export function Keys({ role }: { role: User['role'] }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['keys'],
    queryFn: async ({ signal }) => (await magpie.json<{ keys: Key[] }>('GET', '/api/keys', { signal })).keys,
  });
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<Key | null>(null);
  return (
    <Part title={t('account.keys.title')} text={t('account.keys.text')}>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-16" />
      ) : data.length === 0 ? (
        <p className="text-muted">{t('account.keys.none')}</p>
      ) : (
        <ul aria-label={t('account.keys.title')}>
          {data.map((item) => (
            <Row key={item.id} item={item} onRemove={() => setRemoving(item)} />
          ))}
        </ul>
      )}
      <div>
        <Button icon={Plus} onClick={() => setMaking(true)}>
          {t('account.keys.new')}
        </Button>
      </div>
      {making && <NewKey role={role} onClose={() => setMaking(false)} />}
      {removing && (
        <Confirm
          title={t('account.keys.removeTitle', { name: removing.name })}
          action={t('account.keys.revoke')}
          run={async () => {
            await magpie.json('DELETE', `/api/keys/${removing.id}`);
            queries.setQueryData<Key[]>(['keys'], (old) => old?.filter((one) => one.id !== removing.id));
            toast({ text: t('account.keys.revoked', { name: removing.name }) });
          }}
          onClose={() => setRemoving(null)}
        >
          <p>{t('account.keys.removeText')}</p>
        </Confirm>
      )}
    </Part>
  );
}
