import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  PASSWORD,
  shoot,
  startService,
  Watch,
  type Service,
} from './harness';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const watch = new Watch();

beforeAll(async () => {
  service = await startService();
  browser = await openBrowser();
  context = await browser.newContext({ baseURL: service.url, viewport: DESKTOP, reducedMotion: 'reduce' });
  await watch.follow(context);
  page = await context.newPage();
});

afterAll(async () => {
  await browser.close();
  await service.stop();
  forget(service);
});

afterEach(() => watch.check());

const heading = (name: string) => page.getByRole('heading', { name, level: 1 });

/** As from the list of sessions, on another device. */
async function endSessions(): Promise<void> {
  const send = async (method: string, path: string, token?: string, body?: object) => {
    const headers = {
      'Content-Type': 'application/json',
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    };
    const ask = () =>
      fetch(service.url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    let answer = await ask();
    // The tabs of the test before may have used up what a user may ask for at once.
    for (; answer.status === 429; answer = await ask()) await page.waitForTimeout(500);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.status === 204 ? null : ((await answer.json()) as unknown);
  };
  const made = await send('POST', '/api/auth/login', undefined, { username: 'root', password: PASSWORD });
  const { token } = made as { token: string };
  const { sessions } = (await send('GET', '/api/auth/sessions', token)) as {
    sessions: { id: string; current: boolean }[];
  };
  for (const { id, current } of sessions)
    if (!current) await send('DELETE', `/api/auth/sessions/${id}`, token);
}

describe('the first start', () => {
  it('leads from anywhere to the set-up', async () => {
    await page.goto('/');
    await heading('Welcome to Magpie').waitFor();
    expect(new URL(page.url()).pathname).toBe('/setup');
    await page.getByLabel('Set-up token').waitFor();
  });

  it('makes the administrator by the link of the terminal', async () => {
    await page.goto(`/setup?token=${service.setupToken}`);
    await heading('Welcome to Magpie').waitFor();
    await accessible(page);
    await shoot(page, 'setup');
    await page.getByLabel('User name').fill('root');
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByRole('button', { name: 'Make the account' }).click();
    expect(
      await page
        .getByLabel('Password', { exact: true })
        .evaluate((field: HTMLInputElement) => field.validity.tooShort),
    ).toBe(true);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await heading('Overview').waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
    await accessible(page);
  });

  it('is over afterwards', async () => {
    const other = await browser.newContext({ baseURL: service.url });
    const stranger = await other.newPage();
    await stranger.goto(`/setup?token=${service.setupToken}`);
    await stranger.getByText('The set-up is done already').waitFor();
    await other.close();
  });
});

describe('a session', () => {
  it('goes on after a reload, without a script being able to read its token', async () => {
    await page.reload();
    await heading('Overview').waitFor();
    const kept = await page.evaluate(() =>
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]),
    );
    expect(kept).not.toMatch(/eyJ|magpie_refresh/);
    const [cookie] = await context.cookies(`${service.url}/api/auth/refresh`);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api/auth' });
  });

  it('is shared by tabs that are opened at once', async () => {
    const tabs = await Promise.all(Array.from({ length: 4 }, () => context.newPage()));
    await Promise.all(tabs.map((tab) => tab.goto('/')));
    for (const tab of tabs) await tab.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await Promise.all(tabs.map((tab) => tab.reload()));
    for (const tab of tabs) await tab.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    for (const tab of tabs) await tab.close();
    await page.reload();
    await heading('Overview').waitFor();
  });

  it('that ended under a page is taken up on top of it', async () => {
    await page.getByRole('searchbox').fill('half typed');
    await endSessions();
    await page.getByRole('link', { name: 'Library' }).click();
    await page.getByRole('heading', { name: 'You were signed out' }).waitFor();
    await accessible(page);
    await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => page.getByRole('searchbox').inputValue()).toBe('half typed');
  });

  it('ends by signing out, and the login leads back', async () => {
    await page.goto('/search?q=lighthouse');
    await page.getByRole('button', { name: 'Account of root' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await heading('Sign in to Magpie').waitFor();
    expect(new URL(page.url()).searchParams.get('return')).toBe('/search?q=lighthouse');
    await accessible(page);
    await shoot(page, 'login');
    await page.getByLabel('User name or e-mail address').fill('root');
    await page.getByLabel('Password', { exact: true }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await expect.poll(() => page.getByLabel('User name or e-mail address').inputValue()).toBe('root');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/search?q=lighthouse');
  });
});

describe('the other doors', () => {
  it('are accessible', async () => {
    const other = await browser.newContext({ baseURL: service.url, viewport: DESKTOP });
    await watch.follow(other);
    const stranger = await other.newPage();
    for (const [path, title] of [
      ['/register', 'Make an account'],
      ['/forgot', 'A new password'],
      ['/reset?token=abc', 'Set a new password'],
    ] as const) {
      await stranger.goto(path);
      await stranger.getByRole('heading', { name: title, level: 1 }).waitFor();
      await accessible(stranger);
    }
    await shoot(stranger, 'reset');
    await stranger.goto('/register');
    await stranger.getByLabel('User name').fill('ada');
    await stranger.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await stranger.getByRole('button', { name: 'Make an account' }).click();
    await stranger.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await other.close();
  });

  it('lead nowhere else: a return path is one of this app', async () => {
    const other = await browser.newContext({ baseURL: service.url });
    const stranger = await other.newPage();
    await stranger.goto('/login?return=//evil.example/');
    await stranger.getByLabel('User name or e-mail address').fill('ada');
    await stranger.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await stranger.getByRole('button', { name: 'Sign in' }).click();
    await stranger.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    expect(new URL(stranger.url()).origin).toBe(service.url);
    await other.close();
  });
});

describe('the frame', () => {
  it('has commands, shortcuts, themes and languages', async () => {
    await page.goto('/');
    await heading('Overview').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor();
    await accessible(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('dark');
    await accessible(page);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
    await page.keyboard.press('/');
    await page.keyboard.type('cat');
    await expect.poll(() => page.getByRole('searchbox').inputValue()).toBe('cat');
    await page.getByRole('button', { name: 'Account of root' }).click();
    await accessible(page);
    await page.getByRole('menuitemradio', { name: 'Deutsch' }).click();
    await heading('Übersicht').waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
    await page.getByRole('button', { name: 'Konto von root' }).click();
    await page.getByRole('menuitemradio', { name: 'English' }).click();
    await heading('Overview').waitFor();
  });

  it('says that there is no such page', async () => {
    await page.goto('/no/such/page');
    await page.getByText('There is no such page').waitFor();
    await accessible(page);
  });
});
