import { describe, expect, it } from 'vitest';
import { deviceOf } from '@/pages/account/agent';
import { scopesOf } from '@/pages/account/scopes';
import { aboutOf, dayStart, queryOf, wordsOf } from '@/pages/admin/audit';
import { stateOf } from '@/pages/admin/invite';
import { leftWords, modelOf, stepOf, type Model } from '@/pages/admin/models';
import { matches, valueOf, type Setting } from '@/pages/admin/settings';

describe('what is asked of the audit log', () => {
  it('goes by whole days of whoever looks', () => {
    const from = dayStart('2026-03-01') ?? 0;
    const to = dayStart('2026-03-01', 1) ?? 0;
    expect(new Date(from * 1000).getHours()).toBe(0);
    expect(to - from).toBe(24 * 3600);
    expect(dayStart('2026-02-28', 1)).toBe(from);
  });

  it('leaves out what is not said, or is none', () => {
    expect(queryOf({ user: 'x', from: '1.3.2026', to: '' })).toEqual({
      user_id: undefined,
      action: undefined,
      from: undefined,
      to: undefined,
    });
    expect(queryOf({ user: '7', action: 'user.' })).toMatchObject({ user_id: 7, action: 'user.' });
    expect(queryOf({ user: '-7' }).user_id).toBeUndefined();
  });

  it('tells whom it was done to, and leaves numbers of sessions to the details', () => {
    const entry = { id: 1, at: 1, user_id: 1, target_id: 2, address: '', request_id: '' };
    const nameOf = (id: number) => `n${id}`;
    expect(aboutOf({ ...entry, action: 'user.change', detail: 'role guest' }, nameOf)).toBe(
      'n2 · role guest',
    );
    expect(aboutOf({ ...entry, action: 'user.password', detail: '', target_id: 1 }, nameOf)).toBe('');
    expect(aboutOf({ ...entry, action: 'session.login', detail: 'cfaf' }, nameOf)).toBe('');
    expect(aboutOf({ ...entry, action: 'key.create', detail: '*' }, nameOf)).toBe('*');
  });

  it('has words for actions, and none for those of tomorrow', () => {
    expect(wordsOf('user.change')).toBe('Changed an account');
    expect(wordsOf('user.cloned')).toBe('');
  });
});

describe('an invitation', () => {
  it('is open until it is used or its time is over', () => {
    expect(stateOf({ used_at: null, expires_at: 100 }, 99_999)).toBe('open');
    expect(stateOf({ used_at: null, expires_at: 100 }, 100_000)).toBe('over');
    expect(stateOf({ used_at: 5, expires_at: 100 }, 200_000)).toBe('used');
  });
});

describe('a model', () => {
  const model: Model = {
    name: 'lite',
    about: '',
    licence: '',
    sha256: '',
    dims: 512,
    installed: true,
    current: false,
    fetchable: true,
    images: 0,
  };

  it('is one step from being in use, or two', () => {
    expect(stepOf({ ...model, current: true })).toBe('current');
    expect(stepOf(model)).toBe('use');
    expect(stepOf({ ...model, images: 3 })).toBe('back');
    expect(stepOf({ ...model, installed: false })).toBe('fetch');
    expect(stepOf({ ...model, installed: false, fetchable: false })).toBe('absent');
  });

  it('is named by its job', () => {
    expect(modelOf({ params: { model: 'lite' } })).toBe('lite');
    expect(modelOf({ params: {} })).toBe('');
  });

  it('takes seconds, minutes or hours', () => {
    expect(leftWords(0.2)).toBe('1 second left');
    expect(leftWords(120)).toBe('2 minutes left');
    expect(leftWords(3 * 3600)).toBe('3 hours left');
  });
});

describe('settings', () => {
  const setting: Setting = {
    name: 'max-side',
    value: ['a', 'b'],
    secret: false,
    origin: 'file',
    source: 'magpie.toml:1',
    environment: 'MAGPIE_MAX_SIDE',
    default: '16384',
    help: 'The longest side of a picture.',
  };

  it('are found by all words that are typed', () => {
    for (const words of ['', 'max', 'LONGEST picture', 'magpie_max'])
      expect(matches(setting, words)).toBe(true);
    expect(matches(setting, 'longest video')).toBe(false);
  });

  it('have one text', () => {
    expect(valueOf(setting)).toBe('a, b');
    expect(valueOf({ value: null })).toBe('');
  });
});

describe('a key', () => {
  const user = ['assets.read', 'assets.write', 'projects.read', 'projects.write'];

  it('may some of what its owner may', () => {
    expect(scopesOf('read', user, [])).toEqual(['assets.read', 'projects.read']);
    expect(scopesOf('write', user, [])).toEqual(user);
    expect(scopesOf('all', user, [])).toEqual(['*']);
    expect(scopesOf('chosen', user, ['assets.write', 'users.write'])).toEqual(['assets.write']);
    expect(scopesOf('write', ['assets.read'], [])).toEqual(['assets.read']);
  });
});

describe('a device', () => {
  it('is told by browser and system', () => {
    const chrome =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';
    expect(deviceOf(chrome)).toBe('Chrome · Linux');
    expect(deviceOf(chrome + ' Edg/140.0')).toBe('Edge · Linux');
    expect(deviceOf('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1')).toBe(
      'Safari · iOS',
    );
    expect(deviceOf('curl/8.5.0')).toBe('curl');
    expect(deviceOf('something else')).toBe('something else');
    expect(deviceOf('')).toBe('');
  });
});
