import { BellPlus, X } from 'lucide-react';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { freshNotification, HIDDEN, TOLD, type Notification } from './config';

const CHANNELS = ['webhook', 'email'] as const;
const WORDS = {
  'image.': 'pictures',
  'job.failed': 'failed',
  'job.dead': 'dead',
  'job.completed': 'completed',
} as const;

function One({
  one,
  onChange,
  onRemove,
}: {
  one: Notification;
  onChange: (patch: Partial<Notification>) => void;
  onRemove: () => void;
}) {
  const others = one.events.filter((event) => !TOLD.includes(event as (typeof TOLD)[number]));
  return (
    <li className="flex flex-col gap-3 rounded-md border border-line p-3">
      <div className="flex flex-wrap items-end gap-3">
        <Select
          label={t('work.notify.channel')}
          value={one.channel}
          options={CHANNELS.map((value) => [value, t(`work.notify.${value}`)] as const)}
          onChange={(channel) => onChange({ channel, to: '' })}
          className="w-36"
        />
        <Field
          label={t(one.channel === 'email' ? 'work.notify.mail' : 'work.notify.url')}
          type={one.channel === 'email' ? 'email' : 'url'}
          required
          value={one.to}
          onChange={(event) =>
            // A secret belongs to its address: another address needs another one.
            onChange({ to: event.target.value, ...(one.secret === HIDDEN ? { secret: '' } : {}) })
          }
          className="min-w-48 flex-1"
        />
        {one.channel === 'webhook' && (
          <Field
            label={t('work.notify.secret')}
            required
            value={one.secret}
            autoComplete="off"
            onChange={(event) => onChange({ secret: event.target.value })}
            className="w-40"
          />
        )}
        <IconButton icon={X} label={t('work.notify.remove')} onClick={onRemove} />
      </div>
      <fieldset className="flex flex-wrap gap-x-4 gap-y-1">
        <legend className="sr-only">{t('work.notify.of')}</legend>
        {TOLD.map((event) => (
          <label key={event} className="inline-flex min-h-8 items-center gap-2">
            <input
              type="checkbox"
              checked={one.events.includes(event)}
              onChange={(change) =>
                onChange({
                  events: change.target.checked
                    ? [...one.events, event]
                    : one.events.filter((other) => other !== event),
                })
              }
              className="size-5"
            />
            {t(`work.notify.${WORDS[event]}`)}
          </label>
        ))}
        {others.length > 0 && (
          <span className="inline-flex min-h-8 items-center text-muted">
            {t('work.notify.also', { list: others.join(', ') })}
          </span>
        )}
      </fieldset>
    </li>
  );
}

/** Mails and signed webhooks for what happens in the project. */
export function Notifications({
  list,
  onChange,
}: {
  list: readonly Notification[];
  onChange: (list: readonly Notification[]) => void;
}) {
  return (
    <section className="flex flex-col gap-3 rounded-md border border-line bg-surface p-4">
      <h2 className="font-medium">{t('work.notify.title')}</h2>
      <p className="-mt-2 text-muted">{t('work.notify.text')}</p>
      {list.length > 0 && (
        <ul className="flex flex-col gap-2">
          {list.map((one) => (
            <One
              key={one.key}
              one={one}
              onChange={(patch) =>
                onChange(list.map((other) => (other.key === one.key ? { ...other, ...patch } : other)))
              }
              onRemove={() => onChange(list.filter((other) => other.key !== one.key))}
            />
          ))}
        </ul>
      )}
      <div>
        <Button icon={BellPlus} onClick={() => onChange([...list, freshNotification()])}>
          {t('work.notify.add')}
        </Button>
      </div>
    </section>
  );
}
