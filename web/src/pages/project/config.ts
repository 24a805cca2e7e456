/* What is known of a project's config. What else is in it stays as it is. */
import type { Project } from '@/lib/projects';

type Config = Project['config'];

export const MOST_DAYS = 36_500;
/** What the service shows instead of a secret, and takes for "as before". */
export const HIDDEN = '***';

/** Who is told of what, as the form has it. */
export interface Notification {
  /** Of the form alone. */
  key: number;
  channel: 'webhook' | 'email';
  /** An address of either kind. */
  to: string;
  secret: string;
  events: readonly string[];
  /** As it was stored: members that the form does not know stay. */
  was?: Readonly<Record<string, unknown>>;
}

export const TOLD = ['image.', 'job.failed', 'job.dead', 'job.completed'] as const;

const FORM = ['url', 'to', 'secret'];

const text = (value: unknown) => (typeof value === 'string' ? value : '');

let last = 0;
export function freshNotification(): Notification {
  return { key: ++last, channel: 'webhook', to: '', secret: '', events: ['image.'] };
}

export function notificationsOf(config: Config): Notification[] {
  const list: unknown = config['notifications'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null) return [];
    const row = one as Record<string, unknown>;
    const channel = row['channel'] === 'email' ? 'email' : 'webhook';
    const events: unknown = row['events'];
    return {
      key: ++last,
      channel,
      to: text(row[channel === 'email' ? 'to' : 'url']),
      secret: text(row['secret']),
      events: Array.isArray(events) ? events.filter((event) => typeof event === 'string') : [],
      was: row,
    };
  });
}

function stored({ channel, to, secret, events, was }: Notification): Record<string, unknown> {
  const rest = Object.fromEntries(Object.entries(was ?? {}).filter(([name]) => !FORM.includes(name)));
  return channel === 'email'
    ? { ...rest, channel, to: to.trim(), events }
    : { ...rest, channel, url: to.trim(), secret, events };
}

export function configWith(
  config: Config,
  chosen: { gate: 'keep' | 'refuse'; days: number | null; notifications: readonly Notification[] },
): Config {
  const next: Config = { ...config };
  delete next.near_duplicates;
  delete next.retention_days;
  delete next['notifications'];
  if (chosen.gate === 'refuse') next.near_duplicates = 'refuse';
  if (chosen.days !== null) next.retention_days = chosen.days;
  if (chosen.notifications.length > 0) next['notifications'] = chosen.notifications.map(stored);
  return next;
}
