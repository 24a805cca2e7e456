import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  PASSWORD,
  samples,
  type Service,
  set,
  setTheme,
  shoot,
  startService,
  Watch,
} from './harness';
import { ask, enter, tokenOf, upload } from './people';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const watch = new Watch();
const contexts: BrowserContext[] = [];

async function stranger(): Promise<Page> {
  const own = await browser.newContext({
    baseURL: service.url,
    viewport: DESKTOP,
    reducedMotion: 'reduce',
    locale: 'en-US',
  });
  contexts.push(own);
  await watch.follow(own);
  return own.newPage();
}

beforeAll(async () => {
  const share = mkdtempSync(join(tmpdir(), 'magpie-share-'));
  mkdirSync(share, { recursive: true });
  writeFileSync(join(share, 'lite_fetch.py'), 'print("no network here", flush=True)\nraise SystemExit(1)\n');
  process.env['MAGPIE_SHARE'] = share; // nothing is fetched from elsewhere
  service = await startService(['--rate-limit', '0']);
  browser = await openBrowser();
  page = await stranger();
  context = page.context();
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: service.url });
  await enter(page, service);
  await upload(service, await tokenOf(service), samples(12));
});

afterAll(async () => {
  await browser.close();
  await service.stop();
  forget(service);
});

afterEach(() => watch.check());

const heading = (name: string, where = page) => where.getByRole('heading', { name, level: 1 });
const tab = (name: string) =>
  page.getByRole('navigation', { name: 'Parts of the administration' }).getByRole('link', { name });
const row = (list: string, text: string) =>
  page.getByRole('list', { name: list }).getByRole('listitem').filter({ hasText: text });

async function signIn(who: Page, name: string, password = PASSWORD): Promise<void> {
  await who.goto('/login');
  await who.getByLabel('User name or e-mail address').fill(name);
  await who.getByLabel('Password', { exact: true }).fill(password);
  await who.getByRole('button', { name: 'Sign in' }).click();
}

describe('an invitation', () => {
  let ada: Page;

  it('is made once and its link is shown once', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await heading('Administration').waitFor();
    await row('Users', 'root').waitFor();
    await tab('Invitations').click();
    await page.getByRole('heading', { name: 'No invitations' }).waitFor();
    await accessible(page);
    await page.getByRole('button', { name: 'Invite somebody' }).click();
    await page.getByLabel('Role').selectOption('operator');
    await page.getByLabel('Valid for').selectOption('1');
    await accessible(page);
    await page.getByRole('button', { name: 'Make the link' }).click();
    const link = page.getByLabel('Link for the person you invite');
    await link.waitFor();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const url = await link.inputValue();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(url);
    await accessible(page);
    await shoot(page, 'admin-invited');
    await page.getByRole('button', { name: 'Done' }).click();
    await row('Invitations', 'Operator').getByText('ends in').waitFor();

    ada = await stranger();
    await ada.goto(url);
    await ada.getByLabel('User name').fill('ada');
    await ada.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await ada.getByRole('button', { name: 'Make an account' }).click();
    await heading('Overview', ada).waitFor();
    await page.reload();
    await row('Invitations', 'used by ada').waitFor();
    await shoot(page, 'admin-invites');
  });

  it('is revoked, and its link stops working', async () => {
    await page.keyboard.press('n');
    await page.getByRole('button', { name: 'Make the link' }).click();
    const url = await page.getByLabel('Link for the person you invite').inputValue();
    await page.keyboard.press('Escape');
    await row('Invitations', 'ends in').getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row('Invitations', 'ends in').waitFor({ state: 'detached' });
    const late = await stranger();
    await late.goto(url);
    await late.getByLabel('User name').fill('eve');
    await late.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await late.getByRole('button', { name: 'Make an account' }).click();
    await late.getByRole('alert').waitFor();
  });

  it('leads to an account whose role can be changed, and which must not see these pages', async () => {
    await ada.getByRole('navigation', { name: 'Pages' }).waitFor();
    await expect.poll(() => ada.getByRole('link', { name: 'Administration' }).count()).toBe(0);
    await ada.goto('/admin?tab=settings');
    await ada.getByRole('heading', { name: 'Your account may not see this page' }).waitFor();
    await accessible(ada);
    await shoot(ada, 'admin-refused');
    const token = await tokenOf(service, 'ada');
    for (const path of ['/api/settings', '/api/audit', '/api/invites'])
      expect(
        (await fetch(service.url + path, { headers: { Authorization: `Bearer ${token}` } })).status,
      ).toBe(403);

    await tab('Users').click();
    await page.getByLabel('Role of ada').selectOption('guest');
    await page.getByText('ada: Guest from now on').waitFor();
    // The change ended the session: it is asked for anew, on top of the page.
    await ada.getByRole('link', { name: 'Library' }).click();
    await ada.getByRole('heading', { name: 'You were signed out' }).waitFor();
    await ada.getByRole('dialog').getByLabel('Password', { exact: true }).fill(PASSWORD);
    await ada.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
    await ada.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => ada.getByRole('link', { name: 'Administration' }).count()).toBe(0);
  });

  it('is of no use to an account that is disabled', async () => {
    await page.getByRole('button', { name: 'More for ada' }).click();
    await accessible(page);
    await page.getByRole('menuitem', { name: 'Disable' }).click();
    await row('Users', 'ada').getByText('Disabled').waitFor();
    await ada.reload();
    await heading('Sign in to Magpie', ada).waitFor();
    await signIn(ada, 'ada');
    await ada.getByRole('alert').waitFor();
    await page.getByRole('button', { name: 'More for ada' }).click();
    await page.getByRole('menuitem', { name: 'Enable' }).click();
    await row('Users', 'ada').getByText('Active').waitFor();
    await signIn(ada, 'ada');
    await heading('Overview', ada).waitFor();
  });
});

describe('accounts', () => {
  it('are added, found, and kept when a change is refused', async () => {
    await page.keyboard.press('n');
    await page.getByLabel('User name').fill('grace');
    await page.getByRole('dialog').getByLabel('E-mail address').fill('grace@example.org');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await accessible(page);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await row('Users', 'grace').waitFor();
    await accessible(page);
    await shoot(page, 'admin-users');
    await page.getByLabel('Name or e-mail address').fill('example.org');
    await row('Users', 'ada').waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.get('q')).toBe('example.org');
    await page.reload();
    await row('Users', 'grace').waitFor();
    await page.getByLabel('Name or e-mail address').fill('nobody of this name');
    await page.getByRole('heading', { name: 'Nobody is found' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await row('Users', 'ada').waitFor();
    // One's own account is not for slips.
    await expect.poll(() => page.getByLabel('Role of root').isDisabled()).toBe(true);
    await page.route('**/api/users/*', (route) =>
      route.request().method() === 'PATCH'
        ? route.fulfill({ status: 409, json: { detail: 'somebody was quicker', request_id: 'r1' } })
        : route.continue(),
    );
    await page.getByLabel('Role of grace').selectOption('admin');
    await page.getByRole('alert').getByText('Somebody was quicker.').waitFor();
    await expect.poll(() => page.getByLabel('Role of grace').inputValue()).toBe('user');
    await page.unroute('**/api/users/*');
  });

  it('are deleted after a question', async () => {
    await page.getByRole('button', { name: 'More for grace' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Delete the account of grace?' }).waitFor();
    await accessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await row('Users', 'grace').waitFor();
    await page.getByRole('button', { name: 'More for grace' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await row('Users', 'grace').waitFor({ state: 'detached' });
  });

  it('have roles, whose permissions can be read', async () => {
    await page.keyboard.press('3');
    await page.getByRole('columnheader', { name: 'Operator' }).waitFor();
    const line = page.getByRole('row').filter({ hasText: 'settings.read' });
    await expect.poll(() => line.getByRole('cell').allTextContents()).toEqual(['yes', 'no', 'no', 'no']);
    await accessible(page);
    await shoot(page, 'admin-roles');
  });
});

describe('the audit log', () => {
  it('has all of that, and can be filtered', async () => {
    await page.keyboard.press('4');
    for (const text of [
      'Deleted an account',
      'Changed an account',
      'Added an account',
      'Made an account',
      'Invited somebody',
      'Revoked an invitation',
    ])
      await row('Audit log', text).first().waitFor();
    await accessible(page);
    await shoot(page, 'admin-audit');
    await page.getByLabel('What', { exact: true }).selectOption({ label: 'Invitations' });
    await row('Audit log', 'Made an account').first().waitFor({ state: 'detached' });
    await row('Audit log', 'Revoked an invitation').waitFor();
    await page.getByLabel('Who', { exact: true }).selectOption({ label: 'ada' });
    await page.getByRole('heading', { name: 'Nothing is found' }).waitFor();
    const address = new URL(page.url()).searchParams;
    expect([address.get('action'), Number(address.get('user')) > 1]).toEqual(['invite.', true]);
    await page.reload();
    await page.getByRole('heading', { name: 'Nothing is found' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByLabel('To', { exact: true }).fill('2001-01-01');
    await page.getByRole('heading', { name: 'Nothing is found' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    const entry = row('Audit log', 'Deleted an account');
    await entry.locator('summary').click();
    await entry.getByText('127.0.0.1').waitFor();
    await entry.getByText('user.delete').waitFor();
    await accessible(page);
  });

  it('has no end but the oldest', async () => {
    const token = await tokenOf(service);
    for (let i = 0; i < 110; i++)
      await ask(service, token, '/api/keys', { name: `k${i}`, scopes: ['*'] }).catch(() => 0);
    await page.reload();
    await row('Audit log', 'Made an API key').first().waitFor();
    // The very first: scrolling loads on.
    await expect
      .poll(
        async () => {
          await page
            .getByRole('list', { name: 'Audit log' })
            .getByRole('listitem')
            .last()
            .scrollIntoViewIfNeeded();
          return row('Audit log', 'Made an account').count();
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
    const { keys } = await ask<{ keys: { id: number }[] }>(service, token, '/api/keys');
    for (const { id } of keys)
      await fetch(`${service.url}/api/keys/${id}`, {
        method: 'DELETE',
        headers: { Authorization: `Bearer ${token}` },
      });
  });
});

describe('settings and health', () => {
  it('tell where each value comes from', async () => {
    await page.keyboard.press('6');
    const limit = row('Settings', 'rate-limit');
    await limit.getByText('Command line').waitFor();
    await row('Settings', 'MAGPIE_MAX_SIDE').waitFor();
    await accessible(page);
    await shoot(page, 'admin-settings');
    await page.getByLabel('Search the settings').fill('library');
    await limit.waitFor({ state: 'detached' });
    await page.getByLabel('Search the settings').fill('');
    await set(page.getByRole('radio', { name: 'Only what was set' }), true);
    await row('Settings', 'max-side').waitFor({ state: 'detached' });
    await limit.waitFor();
    expect(new URL(page.url()).searchParams.get('show')).toBe('set');
  });

  it('tell version and dependencies', async () => {
    await page.keyboard.press('7');
    await page.getByRole('heading', { name: 'What it stands on' }).waitFor();
    await page.getByText('sqlite').waitFor();
    await accessible(page);
    await shoot(page, 'admin-health');
  });
});

describe('models', () => {
  const card = (name: string) => page.getByRole('listitem', { name, exact: true });
  let other = '';
  let first = '';

  it('are listed, and the library is switched to another one', async () => {
    await page.keyboard.press('5');
    await card('builtin').waitFor();
    const parts = page.getByRole('navigation', { name: 'Parts of the administration' });
    await expect.poll(() => parts.locator('[aria-current=page]').allTextContents()).toEqual(['Models']);
    const token = await tokenOf(service);
    const { models } = await ask<{ models: { name: string; current: boolean; installed: boolean }[] }>(
      service,
      token,
      '/api/models',
    );
    first = models.find((one) => one.current)?.name ?? '';
    await card(first).getByText('In use').waitFor();
    await card(first).getByText('12 of 12 pictures').waitFor();
    await accessible(page);
    if (first !== 'lite') return; // there is no other one here
    other = 'builtin';
    await card(other).getByRole('button', { name: 'Switch to it' }).click();
    await page.getByText('12 pictures are computed anew').waitFor();
    await accessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Switch' }).click();
    await card(other).getByText('In use').waitFor();
    await card(first).getByRole('button', { name: 'Switch back to it' }).waitFor();
    await shoot(page, 'admin-models');
    await page.keyboard.press('4');
    await row('Audit log', 'builtin instead of lite').waitFor();
    await page.keyboard.press('5');
  });

  it('are switched back, and what is under way can be seen after a reload, and stopped', async () => {
    if (!other) return;
    // A switch of twelve pictures is over at once: what the page shows of a longer one is told to it.
    const job = {
      id: 999_999,
      type: 'use_model',
      status: 'processing',
      params: { model: 'lite' },
      progress: { done: 3, total: 12 },
      error: '',
    };
    let stopped = false;
    await page.route('**/api/models', async (route) => {
      const answer = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...answer, job: stopped ? null : job } });
    });
    await page.route('**/api/jobs/999999/logs*', (route) =>
      route.fulfill({
        contentType: 'text/event-stream',
        body: `event: status\ndata: ${JSON.stringify({ status: 'processing', done: 3, total: 12 })}\n\n`,
      }),
    );
    await page.route('**/api/jobs/999999/cancel', (route) => {
      stopped = true;
      return route.fulfill({ json: { ...job, status: 'cancelled' } });
    });
    await page.reload();
    const work = page.getByRole('region', { name: 'Switching to lite' });
    await work.getByRole('progressbar').waitFor();
    await work.getByText('25%').waitFor();
    await expect.poll(() => card('lite').getByRole('button').isDisabled()).toBe(true);
    await accessible(page);
    await shoot(page, 'admin-switching');
    await work.getByRole('button', { name: 'Stop' }).click();
    await work.waitFor({ state: 'detached' });
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.reload();
    await card('lite').getByRole('button', { name: 'Switch back to it' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Switch' }).click();
    await card('lite').getByText('In use').waitFor();
  });
});

describe('a model that is not installed', () => {
  it('is fetched; what goes wrong is told, and tried again', async () => {
    const token = await tokenOf(service);
    const current = async () => {
      const { models } = await ask<{ models: { name: string; current: boolean }[] }>(
        service,
        token,
        '/api/models',
      );
      return models.find((one) => one.current)?.name;
    };
    if ((await current()) !== 'builtin') await ask(service, token, '/api/models/builtin/use', {});
    await expect.poll(current, { timeout: 30_000 }).toBe('builtin');
    const port = Number(new URL(service.url).port);
    await service.stop();
    const empty = mkdtempSync(join(tmpdir(), 'magpie-models-'));
    service = await startService(['--rate-limit', '0', '--models', empty], port, service.folder);
    await page.goto('/admin?tab=models');
    const lite = page.getByRole('listitem', { name: 'lite', exact: true });
    await lite.getByText('Not installed').waitFor();
    await lite.getByRole('button', { name: 'Fetch' }).click();
    const ended = page.getByRole('region', { name: 'The last work on models' });
    await ended.getByRole('paragraph').filter({ hasText: 'could not be installed' }).waitFor();
    await ended.getByText('Details').click();
    await ended.getByText('no network here').waitFor();
    await accessible(page);
    await shoot(page, 'admin-fetch-failed');
    await page.reload();
    await ended.getByRole('button', { name: 'Try again' }).click();
    await ended.getByRole('paragraph').filter({ hasText: 'could not be installed' }).waitFor();
  });
});

describe('the own account', () => {
  it('is reached from the menu, and changes the appearance', async () => {
    await page.getByRole('button', { name: 'Account of root' }).click();
    await page.getByRole('menuitem', { name: 'Your account' }).click();
    await heading('Your account').waitFor();
    await setTheme(page, 'light');
    await page.reload();
    await set(page.getByRole('radio', { name: 'Dark' }), true);
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
    await set(page.getByRole('radio', { name: 'As the system' }), true);
    await set(page.getByRole('radio', { name: 'Deutsch' }), true);
    await heading('Ihr Konto').waitFor();
    await accessible(page);
    await set(page.getByRole('radio', { name: 'English' }), true);
    await heading('Your account').waitFor();
    await accessible(page);
  });

  it('shows where one is signed in, and ends sessions', async () => {
    const elsewhere = await stranger();
    await signIn(elsewhere, 'root');
    await heading('Overview', elsewhere).waitFor();
    await page.reload();
    const list = page.getByRole('list', { name: 'Where you are signed in' });
    await list.getByText('this one').waitFor();
    const many = await list.getByRole('listitem').count();
    expect(many).toBeGreaterThan(1);
    await expect.poll(() => list.getByRole('listitem').first().getByRole('button').count()).toBe(0);
    await list.getByRole('listitem').nth(1).getByRole('button').click();
    await expect.poll(() => list.getByRole('listitem').count()).toBe(many - 1);
    await page.reload();
    await list.getByText('this one').waitFor();
    const all = page.getByRole('button', { name: /^End all/ });
    if (await all.count()) await all.click();
    await expect.poll(() => list.getByRole('listitem').count()).toBe(1);
    await elsewhere.reload();
    await heading('Sign in to Magpie', elsewhere).waitFor();
  });

  it('makes a key that is shown once, works, and is revoked', async () => {
    await page.getByText('There are none yet.').waitFor();
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('Name', { exact: true }).fill('nightly import');
    await page.getByText('assets.read projects.read').waitFor();
    await page.getByLabel('What it may do').selectOption('chosen');
    await set(page.getByRole('checkbox', { name: 'assets.read' }), true);
    await page.getByLabel('It expires').selectOption('30');
    await accessible(page);
    await page.getByRole('button', { name: 'Make it' }).click();
    const field = page.getByLabel('Key', { exact: true });
    await field.waitFor();
    const key = await field.inputValue();
    await accessible(page);
    await shoot(page, 'account-key');
    await page.getByRole('button', { name: 'Done' }).click();
    await expect.poll(() => page.getByText(key).count()).toBe(0);
    await page.getByText('never used').waitFor();
    await accessible(page);
    await shoot(page, 'account');
    const by = (path: string) => fetch(service.url + path, { headers: { 'X-API-Key': key } });
    expect((await by('/api/images')).status).toBe(200);
    expect((await by('/api/projects')).status).toBe(403); // not of its scopes
    await page.reload();
    await page
      .getByText(/used (now|\d+ seconds? ago)/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Revoke nightly import' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('There are none yet.').waitFor();
    expect((await by('/api/images')).status).toBe(401);
  });

  it('changes the password, and says what is wrong with it', async () => {
    const fill = async (old: string, next: string) => {
      await page.getByLabel('Current password').fill(old);
      await page.getByLabel('New password').fill(next);
      await page.getByRole('button', { name: 'Change the password' }).click();
    };
    await fill('not the password', 'another good one');
    await page.getByRole('region', { name: 'Password' }).getByRole('alert').waitFor();
    await accessible(page);
    await fill(PASSWORD, 'another good one');
    await page.getByText('The password is changed').waitFor();
    await expect.poll(() => page.getByLabel('Current password').inputValue()).toBe('');
    const again = await stranger();
    await signIn(again, 'root', 'another good one');
    await heading('Overview', again).waitFor();
  });
});
