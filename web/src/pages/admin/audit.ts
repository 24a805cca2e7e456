/* The audit log: what is asked of it, and what its actions mean. */
import type { components } from '@magpie/client';
import { t, type TextKey } from '@/text';
import type { UrlState } from '@/lib/url';

export type Entry = components['schemas']['Audit'];

/** By what actions begin with. */
export const GROUPS = [
  'session.',
  'user.',
  'password.',
  'invite.',
  'key.',
  'keys.',
  'project.',
  'image.',
  'job.',
  'model.',
] as const;

const WORDS: Record<string, TextKey> = {
  'session.login': 'admin.audit.action.login',
  'session.logout': 'admin.audit.action.logout',
  'session.refused': 'admin.audit.action.refused',
  'session.reuse': 'admin.audit.action.reuse',
  'user.register': 'admin.audit.action.register',
  'user.create': 'admin.audit.action.create',
  'user.change': 'admin.audit.action.change',
  'user.delete': 'admin.audit.action.delete',
  'user.password': 'admin.audit.action.password',
  'password.forgot': 'admin.audit.action.forgot',
  'password.reset': 'admin.audit.action.reset',
  'invite.create': 'admin.audit.action.invite',
  'invite.remove': 'admin.audit.action.uninvite',
  'key.create': 'admin.audit.action.key',
  'key.remove': 'admin.audit.action.unkey',
  'keys.rotate': 'admin.audit.action.rotate',
  'model.use': 'admin.audit.action.useModel',
  'model.fetch': 'admin.audit.action.fetchModel',
  'project.create': 'admin.audit.action.project',
  'project.change': 'admin.audit.action.projectChange',
  'project.delete': 'admin.audit.action.projectDelete',
  'project.member': 'admin.audit.action.member',
  'project.retention': 'admin.audit.action.retention',
  'image.added': 'admin.audit.action.imageAdded',
  'image.changed': 'admin.audit.action.imageChanged',
  'image.described': 'admin.audit.action.imageDescribed',
  'image.tagged': 'admin.audit.action.imageTagged',
  'image.trashed': 'admin.audit.action.imageTrashed',
  'image.restored': 'admin.audit.action.imageRestored',
  'image.removed': 'admin.audit.action.imageRemoved',
  'job.completed': 'admin.audit.action.jobDone',
  'job.failed': 'admin.audit.action.jobFailed',
};

/** In words; '' where there are none. */
export function wordsOf(action: string): string {
  const key = WORDS[action];
  return key ? t(key) : '';
}

/** Whom it was done to, and what the log says of it; the numbers of sessions are for the details. */
export function aboutOf(entry: Entry, nameOf: (id: number) => string): string {
  const { action, target_id, user_id, detail } = entry;
  const whom = action.startsWith('user.') && target_id && target_id !== user_id ? nameOf(target_id) : '';
  const what = action.startsWith('session.') ? '' : detail;
  return [whom, what].filter((part) => part !== '').join(' · ');
}

/** Days are those of whoever looks: from the beginning of the first to the end of the last. */
export function dayStart(day: string | undefined, plus = 0): number | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '');
  if (!parts) return undefined;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + plus).getTime();
  return Number.isNaN(at) || at < 0 ? undefined : Math.floor(at / 1000);
}

export function queryOf(url: UrlState) {
  const user = Number(url['user'] ?? 0);
  return {
    user_id: Number.isInteger(user) && user > 0 ? user : undefined,
    action: url['action'] || undefined,
    from: dayStart(url['from']),
    to: dayStart(url['to'], 1),
  };
}
