import { MagpieError, type MagpieEvent } from '@magpie/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { magpie, type User } from '@/app/session';
import { aboutOf, isDelayed, leftWords, nextStep, Pace, titleOf } from '@/lib/jobs';
import { mayEdit, mayEmpty, mayManage, type Project } from '@/lib/projects';
import { mayDecide } from '@/lib/useJobActions';
import { read, shown } from '@/pages/asset/asset';
import { merged, placeOf, wordsOf } from '@/pages/events/events';
import { joined } from '@/pages/job/useLog';
import { textOf } from '@/pages/job/Log';
import { patternOf } from '@/pages/project/Assets';
import { drop, keepBoth, sendFiles, sendings } from '@/upload/assets';
import { configWith, HIDDEN, notificationsOf } from '@/pages/project/config';

const user = (role: User['role'], id = 7): User => ({
  id,
  username: role,
  email: '',
  role,
  active: true,
  created_at: 0,
});
const project = (role: Project['role'], status: Project['status'] = 'active') => ({ role, status });

describe('a project', () => {
  it('is managed by its owner and those who look after all', () => {
    const may = (who: User['role'], role: Project['role']) => mayManage(user(who), project(role));
    expect([may('user', 'owner'), may('operator', ''), may('admin', 'viewer')]).toEqual([true, true, true]);
    expect([may('user', 'editor'), may('guest', 'owner')]).toEqual([false, false]);
    expect(mayManage(null, project('owner'))).toBe(false);
  });

  it('is written to by editors while it is in use', () => {
    expect(mayEdit(user('user'), project('editor'))).toBe(true);
    expect(mayEdit(user('user'), project('viewer'))).toBe(false);
    expect(mayEdit(user('guest'), project('editor'))).toBe(false);
    expect(mayEdit(user('admin'), project('owner', 'archived'))).toBe(false);
  });

  it('goes with all that it holds only by its owner or an administrator', () => {
    expect(mayEmpty(user('operator'), project(''))).toBe(false);
    expect(mayEmpty(user('admin'), project(''))).toBe(true);
    expect(mayEmpty(user('user'), project('owner'))).toBe(true);
  });

  it('keeps what is not known of its config', () => {
    const config: Project['config'] = {
      own: { x: 1 },
      retention_days: 30,
      near_duplicates: 'refuse',
      notifications: [
        {
          channel: 'webhook',
          url: 'https://a.example',
          secret: HIDDEN,
          events: ['image.', 'custom.'],
          note: 'n',
        },
        'no notification',
      ],
    };
    const notifications = notificationsOf(config);
    expect(notifications).toHaveLength(1);
    expect(configWith(config, { gate: 'refuse', days: 30, notifications })).toEqual({
      ...config,
      notifications: [(config['notifications'] as unknown[])[0]],
    });
    expect(configWith(config, { gate: 'keep', days: null, notifications: [] })).toEqual({ own: { x: 1 } });
  });

  it('sends a mail without what belongs to a webhook', () => {
    const [one] = notificationsOf({
      notifications: [{ channel: 'webhook', url: 'https://a.example', secret: HIDDEN, events: ['job.'] }],
    });
    if (!one) throw new Error('none');
    const mail = { ...one, channel: 'email' as const, to: ' a@example.org ' };
    expect(configWith({}, { gate: 'keep', days: null, notifications: [mail] })).toEqual({
      notifications: [{ channel: 'email', to: 'a@example.org', events: ['job.'] }],
    });
  });
});

describe('an asset', () => {
  it('is looked for anywhere in its name, or by a pattern', () => {
    expect(['', ' tide ', '*.csv', 'a?'].map(patternOf)).toEqual(['', '*tide*', '*.csv', 'a?']);
  });

  it('has values that become text and themselves again', () => {
    for (const value of [
      'pier',
      '12',
      12,
      -0.5,
      true,
      'true',
      null,
      'null',
      '',
      [1, 'a'],
      { a: { b: 1 } },
      '"quoted"',
    ])
      expect(read(shown(value))).toEqual(value);
    expect(shown('12')).toBe('"12"');
    expect(read('{"a":')).toBe('{"a":');
  });
});

describe('a job', () => {
  const going = (done: number, total = 100, attempts = 1) => ({
    id: 1,
    status: 'processing' as const,
    attempts,
    progress: { done, total },
  });

  it('says what it does and what it is about', () => {
    expect(titleOf({ type: 'processing', params: { operation: 'reindex' } })).toBe('New vectors');
    expect(titleOf({ type: 'processing', params: { operation: 'other' } })).toBe('Processing');
    expect(titleOf({ type: 'some_new_type', params: {} })).toBe('some new type');
    expect(aboutOf({ params: { title: '', where: 'tag:sea', url: 1 } })).toBe('tag:sea');
  });

  it('tells the time left from what was seen, and anew with each attempt', () => {
    const pace = new Pace();
    expect(pace.left(going(10), 0)).toBeUndefined();
    expect(pace.left(going(20), 10_000)).toBe(80);
    expect(pace.left(going(5, 100, 2), 20_000)).toBeUndefined();
    expect(pace.left(going(15, 100, 2), 30_000)).toBe(85);
    expect(pace.left({ ...going(15, 100, 2), status: 'completed' }, 40_000)).toBeUndefined();
    expect(pace.left(going(50, 0, 2), 50_000)).toBeUndefined();
    expect([leftWords(0.2), leftWords(80), leftWords(120), leftWords(7200)]).toEqual([
      '1 second left',
      '80 seconds left',
      '2 minutes left',
      '2 hours left',
    ]);
  });

  it('that went wrong says what to do', () => {
    expect(nextStep({ status: 'failed', error: 'no mail server is set (--smtp-url)' })).toMatch(
      /mail server/,
    );
    expect(nextStep({ status: 'dead', error: 'a.example:80: no address is known for this name' })).toMatch(
      /address/,
    );
    expect(nextStep({ status: 'dead', error: 'something else' })).toMatch(/as often as it may/);
    expect(nextStep({ status: 'failed', error: '' })).toMatch(/would not help/);
  });

  it('waits for its time', () => {
    const later = new Date(Date.now() + 60_000).toISOString();
    expect(isDelayed({ status: 'queued', run_at: later })).toBe(true);
    expect(isDelayed({ status: 'queued', run_at: new Date(0).toISOString() })).toBe(false);
    expect(isDelayed({ status: 'completed', run_at: later })).toBe(false);
  });

  it('is stopped by who asked for it, who may write, and who looks after all', () => {
    expect(mayDecide(user('user', 7), { user_id: 7 }, false)).toBe(true);
    expect(mayDecide(user('user', 7), { user_id: 8 }, false)).toBe(false);
    expect(mayDecide(user('user', 7), { user_id: 8 }, true)).toBe(true);
    expect(mayDecide(user('operator', 7), { user_id: 8 }, false)).toBe(true);
    expect(mayDecide(user('guest', 7), { user_id: 7 }, true)).toBe(false);
  });

  it('says each line once, also when the stream begins anew', () => {
    const line = (id: number) => ({ id, at: null, level: 'info', text: `line ${id}` });
    const first = joined([], [line(1), line(2)]);
    expect(joined(first, [line(1), line(2)])).toBe(first);
    expect(joined(first, [line(1), line(2), line(5)]).map(({ id }) => id)).toEqual([1, 2, 5]);
    expect(textOf([{ ...line(1), at: '2026-01-31T12:00:00Z' }])).toBe('2026-01-31T12:00:00Z info line 1\n');
  });
});

describe('events', () => {
  const event = (id: number, type = 'image.added', subject = '12'): MagpieEvent => ({
    id,
    type,
    at: null,
    project_id: 1,
    user_id: 1,
    subject,
    data: {},
  });

  it('are kept newest first, each once, and not without end', () => {
    const list = merged([event(3), event(1)], [event(2), event(3), event(5)]);
    expect(list.map(({ id }) => id)).toEqual([5, 3, 2, 1]);
    expect(merged(list, [event(5)])).toBe(list);
    expect(merged(list, [event(6)], 2).map(({ id }) => id)).toEqual([6, 5]);
  });

  it('lead to what is still there', () => {
    expect(placeOf(event(1))).toBe('/images/12');
    expect(placeOf(event(1, 'image.removed'))).toBeUndefined();
    expect(placeOf(event(1, 'job.failed', '9'))).toBe('/jobs/9');
    expect(placeOf(event(1, 'image.added', '../evil'))).toBeUndefined();
    expect(placeOf(event(1, 'product.added'))).toBeUndefined();
  });

  it('have words, or the name that the service gives them', () => {
    expect(wordsOf(event(1))).toBe('Picture 12 was added');
    expect(wordsOf(event(1, 'camera.moved', 'pier'))).toBe('camera.moved pier');
  });
});

describe('files on their way into a project', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    drop(sendings.get().map((one) => one.id));
  });

  const refused = async (status: number, body: object) =>
    MagpieError.of(
      new Response(JSON.stringify({ status, detail: 'no', ...body }), {
        status,
        headers: { 'Content-Type': 'application/problem+json' },
      }),
    );
  const asAsset = () =>
    vi.spyOn(magpie, 'addAssets').mockResolvedValue({
      status: 'ok',
      assets: [{ id: 31, status: 'added' } as never],
      added: 1,
      known: 0,
      refused: 0,
    });
  const states = () => sendings.get().map(({ status, asset }) => [status, asset]);
  const picture = new File(['x'], 'a.jpg', { type: 'image/jpeg' });

  it('go as assets unless they are pictures', async () => {
    const add = asAsset();
    const upload = vi.spyOn(magpie, 'upload');
    sendFiles(7, 'document', [picture]);
    sendFiles(7, '', [new File(['x'], 'a.csv')]);
    await vi.waitFor(() =>
      expect(states()).toEqual([
        ['added', 31],
        ['added', 31],
      ]),
    );
    expect(add.mock.calls.map(([project, , options]) => [project, options?.type])).toEqual([
      [7, 'document'],
      [7, undefined],
    ]);
    expect(upload).not.toHaveBeenCalled();
  });

  it('wait for a decision where a picture shows what is there already', async () => {
    const add = asAsset();
    vi.spyOn(magpie, 'upload').mockRejectedValue(await refused(409, { match: { id: 5 } }));
    sendFiles(7, '', [picture]);
    await vi.waitFor(() => expect(sendings.get()[0]).toMatchObject({ status: 'copy', match: { id: 5 } }));
    keepBoth(sendings.get().map((one) => one.id));
    await vi.waitFor(() => expect(states()).toEqual([['added', 31]]));
    expect(add).toHaveBeenCalledTimes(1);
  });

  it('that only call themselves pictures are files', async () => {
    const add = asAsset();
    vi.spyOn(magpie, 'upload').mockRejectedValue(await refused(415, {}));
    sendFiles(7, '', [new File(['<svg/>'], 'a.svg', { type: 'image/svg+xml' })]);
    await vi.waitFor(() => expect(states()).toEqual([['added', 31]]));
    expect(add).toHaveBeenCalledTimes(1);
  });

  it('that are refused say why', async () => {
    vi.spyOn(magpie, 'addAssets').mockRejectedValue(await refused(413, { detail: 'over the limit' }));
    sendFiles(7, '', [new File(['x'], 'a.bin')]);
    await vi.waitFor(() => expect(states()).toEqual([['failed', undefined]]));
    expect(sendings.get()[0]?.trouble).toMatchObject({
      what: 'Over the limit.',
      next: 'Choose a smaller file.',
    });
  });
});
