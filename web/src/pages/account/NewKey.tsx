import type { components } from '@magpie/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { magpie, queries, type User } from '@/app/session';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';
import { Secret } from '@/ui/Secret';
import { Select } from '@/ui/Select';
import { Trouble } from '@/ui/Trouble';
import { scopesOf, type Reach } from './scopes';

type NewApiKey = components['schemas']['NewApiKey'];
const DAY_S = 24 * 3600;
const REACHES: readonly Reach[] = ['read', 'write', 'all', 'chosen'];

/** What the role may: a key can never do more. */
function useMine(role: User['role']): string[] {
  const { data } = useQuery({
    queryKey: ['roles'],
    queryFn: ({ signal }) =>
      magpie.json<{ permissions: string[]; roles: { role: string; permissions: string[] }[] }>(
        'GET',
        '/api/roles',
        { signal },
      ),
    staleTime: Infinity,
  });
  return (data?.roles.find((one) => one.role === role)?.permissions ?? []).toSorted();
}

function Shown({ made, onClose }: { made: NewApiKey; onClose: () => void }) {
  return (
    <Dialog title={t('account.keys.made', { name: made.name })} onClose={onClose}>
      <div className="flex flex-col gap-4">
        <Secret label={t('account.keys.key')} value={made.key} hint={t('account.keys.keyHint')} />
        <div className="flex flex-col gap-1">
          <p className="text-muted">{t('account.keys.example')}</p>
          <pre className="overflow-x-auto rounded-md bg-sunken p-2 text-xs" tabIndex={0}>
            {`curl -H 'X-API-Key: …' ${location.origin}/api/images`}
          </pre>
        </div>
        <div className="flex justify-end">
          <Button onClick={onClose}>{t('account.keys.done')}</Button>
        </div>
      </div>
    </Dialog>
  );
}

export function NewKey({ role, onClose }: { role: User['role']; onClose: () => void }) {
  const mine = useMine(role);
  const [reach, setReach] = useState<Reach>('read');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [days, setDays] = useState('90');
  const scopes = scopesOf(reach, mine, chosen);
  const add = useMutation({
    mutationFn: (name: string) => {
      const body = { name, scopes, ...(days === '0' ? {} : { expires_in_s: Number(days) * DAY_S }) };
      return magpie.json<NewApiKey>('POST', '/api/keys', { body });
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['keys'] }),
  });
  if (add.data) return <Shown made={add.data} onClose={onClose} />;
  return (
    <Dialog title={t('account.keys.new')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const name = new FormData(event.currentTarget).get('name');
          add.mutate(typeof name === 'string' ? name.trim() : '');
        }}
      >
        <Field
          label={t('account.keys.name')}
          name="name"
          hint={t('account.keys.nameHint')}
          maxLength={100}
          autoComplete="off"
          required
        />
        <Select
          label={t('account.keys.reach')}
          value={reach}
          options={REACHES.filter((one) => one !== 'write' || role !== 'guest').map((one) => [
            one,
            t(`account.keys.may.${one}`),
          ])}
          onChange={(event) => setReach(event.target.value as Reach)}
        />
        {reach === 'chosen' ? (
          <fieldset className="flex flex-col gap-1">
            <legend className="mb-1 font-medium">{t('account.keys.scopes')}</legend>
            <div className="grid grid-cols-2 gap-x-4">
              {mine.map((scope) => (
                <label key={scope} className="flex min-h-8 items-center gap-2 pointer-coarse:min-h-11">
                  <input
                    type="checkbox"
                    checked={chosen.includes(scope)}
                    onChange={(event) =>
                      setChosen(
                        event.target.checked ? [...chosen, scope] : chosen.filter((one) => one !== scope),
                      )
                    }
                  />
                  <code>{scope}</code>
                </label>
              ))}
            </div>
          </fieldset>
        ) : (
          <p className="text-muted">
            <code>{scopes.join(' ')}</code>
          </p>
        )}
        <Select
          label={t('account.keys.expires')}
          value={days}
          options={[
            ...['30', '90', '365'].map((n) => [n, t('account.keys.days', { n: Number(n) })] as const),
            ['0', t('account.keys.never')],
          ]}
          onChange={(event) => setDays(event.target.value)}
        />
        {add.error && <Trouble error={add.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button look="primary" type="submit" busy={add.isPending} disabled={scopes.length === 0}>
            {t('account.keys.make')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
