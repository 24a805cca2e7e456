import { readFileSync } from 'node:fs';
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
  shoot,
  startService,
  Watch,
} from './harness';
import { ask, enter, tokenOf, upload } from './people';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let token: string;
const watch = new Watch();

const EVIL = '<img src=x onerror=alert(1)>';

beforeAll(async () => {
  service = await startService(['--rate-limit', '0']);
  browser = await openBrowser();
  context = await browser.newContext({
    baseURL: service.url,
    viewport: DESKTOP,
    reducedMotion: 'reduce',
    acceptDownloads: true,
  });
  await watch.follow(context);
  page = await context.newPage();
  await enter(page, service);
  token = await tokenOf(service);
}, 180_000);

afterAll(async () => {
  await browser.close();
  await service.stop();
  forget(service);
});

afterEach(() => watch.check());

const heading = (name: string | RegExp, on = page) => on.getByRole('heading', { name, level: 1 });
const button = (name: string | RegExp, on = page) => on.getByRole('button', { name });
const dialog = () => page.getByRole('dialog');
const csv = (text: string) => ({ name: 'tides.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
const pick = (what: 'assets' | 'version') => page.locator(`input[data-pick="${what}"]`);
const tab = (name: string, on = page) => on.getByRole('radio', { name, exact: true });
const idHere = (of: RegExp) => Number(of.exec(page.url())?.[1]);
const log = () => page.getByRole('log');

interface Job {
  id: number;
  status: string;
}
const jobs = async () => (await ask<{ jobs: Job[] }>(service, token, '/api/jobs?limit=1000')).jobs;
const addJob = (body: object) => ask<Job>(service, token, '/api/jobs', body);
/** To where nobody can be. */
const webhook = (max_attempts: number) =>
  addJob({
    type: 'notification',
    params: { channel: 'webhook', url: 'http://nobody.invalid/hook', secret: 'a secret' },
    max_attempts,
  });

describe('nothing yet', () => {
  it('says how to begin', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('w');
    await heading('Jobs').waitFor();
    await page.getByText('No jobs yet').waitFor();
    await accessible(page);
    await shoot(page, 'jobs-empty');
    await button('Events').click();
    await heading('Events').waitFor();
    await page.getByText('Nothing has happened yet').waitFor();
    await accessible(page);
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await heading('Projects').waitFor();
    await tab('Archived').click();
    await page.getByText('Nothing is archived').waitFor();
    await accessible(page);
    await tab('In use').click();
  });
});

describe('a project', () => {
  let id = 0;

  it('is made', async () => {
    await page.keyboard.press('n');
    await dialog().getByLabel('Name').fill('Coast');
    await dialog().getByLabel('Description').fill('What the camera at the pier sees');
    await accessible(page);
    await dialog().getByRole('button', { name: 'Make it' }).click();
    await heading('Coast').waitFor();
    id = idHere(/\/projects\/(\d+)/);
    await page.getByText('Nothing is here yet').waitFor();
    await accessible(page);
    await shoot(page, 'project-empty');
  });

  it('of a name that is taken is refused with what to do', async () => {
    await page.goto('/projects');
    await button('New project').first().click();
    await dialog().getByLabel('Name').fill('coast');
    await dialog().getByRole('button', { name: 'Make it' }).click();
    await dialog().getByRole('alert').waitFor();
    await expect.poll(() => dialog().getByLabel('Name').inputValue()).toBe('coast');
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  it('takes in files of any type', async () => {
    await page.goto(`/projects/${id}`);
    await heading('Coast').waitFor();
    await pick('assets').setInputFiles(samples(3));
    await page.getByText('3 files are here.').waitFor();
    await pick('assets').setInputFiles([csv('t,h\n1,2\n')]);
    await page.getByText('4 files are here.').waitFor();
    const list = page.getByRole('region', { name: 'Assets' });
    await list.getByRole('link', { name: 'tides.csv', exact: true }).waitFor();
    await expect.poll(() => list.getByRole('listitem').count()).toBe(4);
    await accessible(page);
    await button('Clear').click();
    await shoot(page, 'project');
    await page.getByRole('searchbox', { name: 'Find by name' }).fill('tides');
    await expect.poll(() => list.getByRole('listitem').count()).toBe(1);
    await expect.poll(() => new URL(page.url()).searchParams.get('q')).toBe('tides');
    await page.getByRole('searchbox', { name: 'Find by name' }).fill('nothing like it');
    await page.getByText('Nothing of this name and type').waitFor();
    await button('Show all assets').click();
    await expect.poll(() => list.getByRole('listitem').count()).toBe(4);
  });

  it('takes a file that is dropped, as what was chosen', async () => {
    await page.getByLabel('Take files in as').selectOption('document');
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['# Notes'], 'notes.md', { type: 'text/markdown' }));
      return transfer;
    });
    await button('Add files').dispatchEvent('drop', { dataTransfer: data });
    const list = page.getByRole('region', { name: 'Assets' });
    await list
      .getByRole('listitem')
      .filter({ hasText: 'notes.md' })
      .getByText(/document/)
      .waitFor();
    await button('Remove notes.md').last().click();
    await expect.poll(() => list.getByText('notes.md').count()).toBe(0);
    await button('Undo').click();
    await list.getByRole('link', { name: 'notes.md', exact: true }).waitFor();
  });

  it('keeps every version of an asset, and tells what differs', async () => {
    await page
      .getByRole('region', { name: 'Assets' })
      .getByRole('link', { name: 'tides.csv', exact: true })
      .click();
    await heading('tides.csv').waitFor();
    await button('Edit').click();
    await button('Add a member').click();
    await dialog().getByLabel('Name of the member', { exact: true }).fill('station');
    await dialog().getByLabel('Value of station', { exact: true }).fill('pier');
    await accessible(page);
    await dialog().getByRole('button', { name: 'Save' }).click();
    await dialog().waitFor({ state: 'detached' });
    await pick('version').setInputFiles([csv('t,h\n1,2\n3,4\n')]);
    await page.getByText('This is version 2 now.').waitFor();
    await button('Edit').click();
    await dialog().getByLabel('Value of station', { exact: true }).fill('harbour');
    await button('Add a member').click();
    await dialog().getByLabel('Name of the member', { exact: true }).last().fill('year');
    await dialog().getByLabel('Value of year', { exact: true }).fill('2026');
    await dialog().getByRole('button', { name: 'Save' }).click();
    const table = page.getByRole('table');
    const row = (name: string) =>
      table.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
    await row('year').waitFor();
    await expect.poll(() => row('station').getByRole('cell').allTextContents()).toEqual(['pier', 'harbour']);
    await expect.poll(() => row('year').getByRole('cell').allTextContents()).toEqual(['none', '2026']);
    await expect.poll(() => row('Size').getByRole('cell').allTextContents()).toEqual(['8 bytes', '12 bytes']);
    await accessible(page);
    await shoot(page, 'asset');
    await page.getByText('This is version 2 now.').waitFor({ state: 'detached' });
  });

  it('gives an old version back, and out', async () => {
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download version 1' }).click();
    expect(readFileSync(await (await download).path(), 'utf8')).toBe('t,h\n1,2\n');
    await button('Restore').click();
    await page.getByText('Version 1 is back, as version 3.').waitFor();
    await page.getByLabel('From', { exact: true }).selectOption('1');
    await page.getByRole('rowheader', { name: 'SHA-256' }).waitFor({ state: 'detached' });
    await page.getByRole('rowheader', { name: 'station' }).waitFor();
    await page.reload();
    await expect.poll(() => page.getByLabel('From', { exact: true }).inputValue()).toBe('1');
    // The same bytes again are no version.
    await pick('version').setInputFiles([csv('t,h\n1,2\n')]);
    await page.getByText('These are its bytes already').waitFor();
  });

  it('shows two versions of a picture beside each other', async () => {
    const [first = '', other = ''] = samples(5).slice(3);
    await page.goto(`/projects/${id}`);
    await page.getByRole('region', { name: 'Assets' }).getByRole('link').first().waitFor();
    await pick('assets').setInputFiles([first]);
    await page.getByText('1 file is here.').waitFor();
    await page.getByRole('region', { name: 'Files on their way' }).getByRole('link').click();
    await button('New version').waitFor();
    await pick('version').setInputFiles([other]);
    await page.getByText('This is version 2 now.').waitFor();
    await page.getByRole('figure').nth(1).waitFor();
    await expect.poll(() => page.getByRole('figure').count()).toBe(2);
    // And above them the new one: 270 × 360, where the old one was a square.
    const preview = page.getByRole('link', { name: 'Open the picture' }).locator('img');
    await expect
      .poll(() => preview.evaluate((image: HTMLImageElement) => image.naturalWidth / image.naturalHeight))
      .toBeCloseTo(0.75, 1);
    await accessible(page);
    await shoot(page, 'asset-picture');
  });

  it('keeps its settings', async () => {
    await page.goto(`/projects/${id}?tab=settings`);
    await page.getByLabel('Name').fill('Coast and sea');
    await set(page.getByRole('radio', { name: /^Refuse it/ }), true);
    await set(page.getByRole('checkbox', { name: 'Remove assets after some days' }), true);
    await page.getByLabel('Days', { exact: true }).fill('90');
    await button('Add a notification').click();
    await page.getByLabel('Address (URL)').fill('https://hooks.example.org/coast');
    await page.getByLabel('Secret that signs').fill('a secret that signs');
    await accessible(page);
    await button('Save the settings').click();
    await page.getByText('The settings are saved.').waitFor();
    await heading('Coast and sea').waitFor();
    await shoot(page, 'project-settings');
    const { config } = await ask<{ config: object }>(service, token, `/api/projects/${id}`);
    expect(config).toEqual({
      near_duplicates: 'refuse',
      retention_days: 90,
      notifications: [
        { channel: 'webhook', url: 'https://hooks.example.org/coast', secret: '***', events: ['image.'] },
      ],
    });
    // And holds to them: a picture that shows the same waits for a decision.
    const [first = ''] = samples(1);
    const same = { name: 'same.jpg', mimeType: 'image/jpeg', buffer: readFileSync(first) };
    same.buffer = Buffer.concat([same.buffer, Buffer.from('other bytes, same picture')]);
    await tab('Assets').click();
    await pick('assets').setInputFiles([same]);
    await page.getByText('1 picture shows what is there already: decide what becomes of it.').waitFor();
    await page.getByRole('link', { name: 'Shows the same as this one' }).waitFor();
    await accessible(page);
    await shoot(page, 'project-copy');
    await button('Keep both').click();
    await page.getByText('1 file is here.').waitFor();
    await page
      .getByRole('region', { name: 'Assets' })
      .getByRole('link', { name: 'same.jpg', exact: true })
      .waitFor();
    await tab('Settings').click();
    await button('Remove this notification').click();
    await set(page.getByRole('checkbox', { name: 'Remove assets after some days' }), false);
    await set(page.getByRole('radio', { name: /^Keep both/ }), true);
    await button('Save the settings').click();
    await expect
      .poll(async () => (await ask<{ config: object }>(service, token, `/api/projects/${id}`)).config)
      .toEqual({});
  });

  it('is shared: a viewer sees this project alone, and changes nothing', async () => {
    await fetch(`${service.url}/api/auth/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: 'ada', password: PASSWORD }),
    });
    await tab('Members').click();
    await page.getByText('Not shared with anybody').waitFor();
    await page.getByLabel('User name or e-mail address').fill('nobody at all');
    await button('Add').click();
    await page.getByRole('alert').first().waitFor();
    await page.getByLabel('User name or e-mail address').fill('ada');
    await button('Add').click();
    await page.getByText('ada is a member now.').waitFor();
    await page.getByRole('list', { name: 'Members' }).getByText('ada', { exact: true }).waitFor();
    await accessible(page);
    await shoot(page, 'project-members');

    const other = await browser.newContext({ baseURL: service.url, viewport: DESKTOP });
    await watch.follow(other);
    const ada = await other.newPage();
    await ada.goto('/login?return=/projects');
    await ada.getByLabel('User name or e-mail address').fill('ada');
    await ada.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button('Sign in', ada).click();
    await heading('Projects', ada).waitFor();
    const cards = ada.getByRole('heading', { level: 2 });
    await cards.first().waitFor();
    await expect.poll(() => cards.allTextContents()).toEqual(['Coast and sea']);
    await cards.first().getByRole('link').click();
    await ada
      .getByRole('region', { name: 'Assets' })
      .getByRole('link', { name: 'tides.csv', exact: true })
      .waitFor();
    for (const name of ['Add files', /^Remove /, 'Settings'])
      await expect.poll(() => button(name, ada).count()).toBe(0);
    await expect.poll(() => tab('Settings', ada).count()).toBe(0);
    await accessible(ada);
    await tab('Members', ada).click();
    await ada.getByRole('list', { name: 'Members' }).getByText('ada · you').waitFor();
    await expect.poll(() => button('Add', ada).count()).toBe(0);
    await expect.poll(() => ada.getByRole('combobox').count()).toBe(0);
    await tab('Assets', ada).click();
    await ada.getByRole('link', { name: 'tides.csv', exact: true }).click();
    await ada.getByRole('list', { name: 'Versions' }).waitFor();
    await ada.getByText('Version 2', { exact: true }).first().waitFor();
    for (const name of ['New version', 'Edit', 'Restore'])
      await expect.poll(() => button(name, ada).count()).toBe(0);
    await ada.goto('/jobs');
    await heading('Jobs', ada).waitFor();
    await expect.poll(() => ada.getByText('What comes again').count()).toBe(0);

    // As an editor she may.
    const changed = page.waitForResponse((answer) => answer.request().method() === 'PUT');
    await page.getByLabel('Role of ada').selectOption('editor');
    expect((await changed).status()).toBe(200);
    await ada.goto(`/projects/${id}`);
    await button('Add files', ada).waitFor();
    const dropped = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
    await button('Remove ada').click();
    expect((await dropped).status()).toBe(204);
    await page.getByText('Not shared with anybody').waitFor();
    await ada.reload();
    await ada.getByRole('alert').waitFor();
    await ada.goto('/projects');
    await ada.getByText('No projects yet').waitFor();
    await other.close();
  }, 120_000);

  it('is archived and taken back into use', async () => {
    await page.goto('/projects');
    await button('What to do with Coast and sea').click();
    await page.getByRole('menuitem', { name: 'Archive' }).click();
    await page.getByText('Coast and sea is archived').waitFor();
    await expect.poll(() => page.getByRole('heading', { name: 'Coast and sea', level: 2 }).count()).toBe(0);
    await page.goto(`/projects/${id}`);
    await page.getByText('This project is archived').waitFor();
    await expect.poll(() => button('Add files').count()).toBe(0);
    await tab('Settings').click();
    await button('Put back into use').click();
    await page.getByText('Coast and sea is in use again.').waitFor();
  });

  it('of any name and with files of any name runs nothing', async () => {
    const { id: evil } = await ask<{ id: number }>(service, token, '/api/projects', {
      name: EVIL,
      description: '<script>alert(2)</script>',
    });
    await page.goto(`/projects/${evil}`);
    await heading(EVIL).waitFor();
    await pick('assets').setInputFiles([
      { name: `${EVIL}.csv`, mimeType: 'text/html', buffer: Buffer.from('<script>alert(3)</script>') },
    ]);
    await page
      .getByRole('region', { name: 'Assets' })
      .getByRole('link', { name: `${EVIL}.csv`, exact: true })
      .click();
    await heading(`${EVIL}.csv`).waitFor();
    await button('Edit').click();
    await button('Add a member').click();
    await dialog().getByLabel('Name of the member', { exact: true }).fill(EVIL);
    await dialog().getByLabel(`Value of ${EVIL}`).fill('<svg onload=alert(4)>');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await page.getByText('<svg onload=alert(4)>').waitFor();
    await page.goto('/projects');
    await page.getByRole('heading', { name: EVIL, level: 2 }).waitFor();
    await shoot(page, 'projects');
    await accessible(page);
  });

  it('is removed with what it holds once its name is typed', async () => {
    await button(`What to do with ${EVIL}`).click();
    await page.getByRole('menuitem', { name: 'Remove…' }).click();
    const remove = dialog().getByRole('button', { name: 'Remove for good' });
    await expect.poll(() => remove.isDisabled()).toBe(true);
    await accessible(page);
    await dialog().getByRole('textbox').fill(EVIL);
    await remove.click();
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(() => page.getByRole('heading', { name: EVIL, level: 2 }).count()).toBe(0);
  });
});

describe('a job', () => {
  it('of an export is followed to its end and downloaded', async () => {
    await upload(service, token, samples(40), 'sea');
    await page.goto('/jobs');
    await heading('Jobs').waitFor();
    await page.keyboard.press('n');
    await dialog().getByLabel('Title').fill('Everything at sea');
    await dialog().getByLabel('Filter').fill('tag:(');
    await dialog().getByRole('button', { name: 'Start the export' }).click();
    await dialog().getByRole('alert').waitFor();
    await dialog().getByLabel('Filter').fill('tag:sea');
    await set(dialog().getByRole('checkbox', { name: /^Vectors/ }), true);
    await set(dialog().getByRole('checkbox', { name: /^CSV/ }), true);
    await accessible(page);
    await dialog().getByRole('button', { name: 'Start the export' }).click();
    await heading(/^Export #\d+$/).waitFor();
    await log()
      .getByText(/40 pictures, \d+ bytes/)
      .waitFor();
    await page.getByRole('status').getByText('Done').waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    const bytes = readFileSync(await (await download).path());
    expect(bytes.subarray(0, 2).toString()).toBe('PK');
    await accessible(page);
    await shoot(page, 'job-export');
  }, 120_000);

  it('is read on after a reload in the middle of its log', async () => {
    const { id } = await webhook(4);
    await page.goto(`/jobs/${id}`);
    const lines = () => log().getByRole('listitem').count();
    await log().getByRole('listitem').first().waitFor();
    const before = await log().getByRole('listitem').first().textContent();
    await page.reload();
    await log().getByRole('listitem').first().waitFor();
    await expect.poll(() => log().getByRole('listitem').first().textContent()).toBe(before);
    await page.getByRole('status').getByText('Given up').waitFor({ timeout: 60_000 });
    await expect.poll(lines).toBeGreaterThanOrEqual(4);
    await page.getByText('attempt 4 of 4').waitFor();
    // What is wrong, and what to do.
    await page
      .getByRole('alert')
      .getByText(/Check that the address is right/)
      .waitFor();
    await accessible(page);
    await shoot(page, 'job-dead');
  }, 120_000);

  it('is read on after the service was started anew', async () => {
    const { id } = await webhook(5);
    await page.goto(`/jobs/${id}`);
    await log().getByRole('listitem').first().waitFor();
    watch.allowed.push(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED_ENCODING|503/);
    await service.stop();
    service = await startService(['--rate-limit', '0'], Number(new URL(service.url).port), service.folder);
    token = await tokenOf(service);
    await page.getByRole('status').getByText('Given up').waitFor({ timeout: 90_000 });
    await page.getByText('attempt 5 of 5').waitFor();
    const ids = await log().getByRole('listitem').allTextContents();
    expect(ids.length).toBeGreaterThanOrEqual(5);
  }, 240_000);

  it('that was given up is tried again, alone or with all others', async () => {
    const [one] = await Promise.all([webhook(1), webhook(1)]);
    await page.goto('/jobs');
    await page.getByText('4 jobs were given up.').waitFor();
    await button('Show them').click();
    await expect.poll(() => new URL(page.url()).searchParams.get('status')).toBe('dead');
    await accessible(page);
    await shoot(page, 'jobs-dead');
    const replay = page.waitForResponse((answer) => answer.url().endsWith('/api/jobs/replay'));
    await button('Try all again').click();
    expect(await (await replay).json()).toEqual({ replayed: 4 });
    await page.getByText('4 jobs are tried again.').waitFor();
    await expect
      .poll(async () => (await jobs()).filter((job) => job.status === 'dead').length, { timeout: 60_000 })
      .toBe(4);
    await page.goto(`/jobs/${one.id}`);
    const retried = page.waitForResponse((answer) => answer.url().endsWith(`/api/jobs/${one.id}/retry`));
    const seen = log().getByRole('listitem');
    await seen.nth(1).waitFor();
    const before = await seen.count();
    await button('Try again').click();
    expect((await retried).status()).toBe(200);
    await expect.poll(() => seen.count()).toBeGreaterThan(before);
    await page.getByRole('status').getByText('Given up').waitFor();
  }, 120_000);

  it('that cannot be helped by waiting says what to do', async () => {
    const { id } = await addJob({
      type: 'notification',
      params: { channel: 'email', to: 'ada@example.org', subject: 'Hello' },
    });
    await page.goto(`/jobs/${id}`);
    await page.getByRole('status').getByText('Failed').waitFor();
    await page
      .getByRole('alert')
      .getByText(/set a mail server/)
      .waitFor();
  });

  it('that runs shows how far it is and how long it will take', async () => {
    let done = 0;
    await page.route('**/api/jobs?limit=50*', async (route) => {
      const answer = await route.fetch();
      const {
        jobs: [first, ...rest],
        ...page
      } = (await answer.json()) as { jobs: object[] };
      done = Math.min(90, done + 10);
      const job = { ...first, status: 'processing', error: '', attempts: 1, progress: { done, total: 100 } };
      await route.fulfill({ response: answer, json: { ...page, jobs: [job, ...rest] } });
    });
    await page.goto('/jobs');
    const row = page.getByRole('list', { name: 'Jobs' }).getByRole('listitem').first();
    await row.getByText('Running').waitFor();
    await row.getByText(/^\d+ seconds? left$/).waitFor();
    expect(Number(await row.getByRole('progressbar').getAttribute('aria-valuenow'))).toBeGreaterThan(10);
    await row.getByRole('button', { name: /^Cancel/ }).waitFor();
    await accessible(page);
    await shoot(page, 'jobs-running');
    await page.unroute('**/api/jobs?limit=50*');
  });

  it('that waits is cancelled, from the list and from its page', async () => {
    const run_at = Math.trunc(Date.now() / 1000) + 3600;
    const wait = () => addJob({ type: 'processing', params: { operation: 'thumbnails' }, run_at });
    const [first, second] = [await wait(), await wait()];
    await page.goto('/jobs?status=queued');
    await button(`Cancel New thumbnails #${first.id}`).click();
    await expect.poll(() => button(`Cancel New thumbnails #${first.id}`).count()).toBe(0);
    await page.goto(`/jobs/${second.id}`);
    await page.getByText(/^Begins in/).waitFor();
    await button('Cancel').click();
    await page.getByRole('status').getByText('Cancelled').waitFor();
    await button('Try again').waitFor();
    const ends = async () =>
      (await jobs()).filter((job) => job.id === first.id || job.id === second.id).map((job) => job.status);
    await expect.poll(ends).toEqual(['cancelled', 'cancelled']);
  });

  it('is shown as it was when the service refuses to change it', async () => {
    const { id } = await addJob({
      type: 'processing',
      params: { operation: 'thumbnails' },
      run_at: Math.trunc(Date.now() / 1000) + 3600,
    });
    await page.route('**/cancel', (route) =>
      route.fulfill({ status: 409, json: { detail: 'this job has ended' } }),
    );
    await page.goto(`/jobs/${id}`);
    await button('Cancel').click();
    await page.getByRole('alert').getByText('This job has ended.').waitFor();
    await page.getByRole('status').getByText('Waiting').waitFor();
    await page.unroute('**/cancel');
    await button('Cancel').click();
    await page.getByRole('status').getByText('Cancelled').waitFor();
  });

  it('is found by its state and type, also after a reload', async () => {
    await page.goto('/jobs');
    await page.getByLabel('Type').selectOption('export');
    const rows = page.getByRole('list', { name: 'Jobs' }).getByRole('listitem');
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel('State').selectOption('cancelled');
    await page.getByText('No job is like this').waitFor();
    await page.reload();
    await page.getByText('No job is like this').waitFor();
    await button('Show all jobs').click();
    await expect.poll(() => rows.count()).toBe((await jobs()).length);
    await page.getByRole('heading', { name: 'What comes again' }).waitFor();
    await page.getByText('every day').waitFor();
    const schedule = page.getByRole('checkbox', { name: 'cleanup is on' });
    const isOn = async () =>
      (await ask<{ schedules: { enabled: boolean }[] }>(service, token, '/api/schedules')).schedules[0]
        ?.enabled;
    await schedule.click();
    await expect.poll(isOn).toBe(false);
    await expect.poll(() => schedule.isChecked()).toBe(false);
    await schedule.click();
    await expect.poll(isOn).toBe(true);
    await accessible(page);
    await shoot(page, 'jobs');
  });
});

describe('events', () => {
  const rows = () => page.getByRole('list', { name: 'Events' }).getByRole('listitem');

  const first = () => rows().first().getByRole('link').first().textContent();

  it('are found among the commands, the newest first', async () => {
    await page.keyboard.press('Control+k');
    await dialog().getByRole('combobox').fill('events');
    await page.keyboard.press('Enter');
    await heading('Events').waitFor();
    await rows().first().waitFor();
    const times = await rows()
      .locator('time')
      .evaluateAll((list) => list.map((one) => one.getAttribute('datetime') ?? ''));
    // Ids are in the order of commits, which is not to the second that of the clock.
    expect(Date.parse(times[0] ?? '')).toBeGreaterThan(Date.parse(times.at(-1) ?? ''));
    await accessible(page);
    await shoot(page, 'events');
  });

  it('appear as they happen, and lead to what they are about', async () => {
    const before = await first();
    await upload(service, token, samples(41).slice(40));
    await expect.poll(() => first()).not.toBe(before);
    await rows()
      .first()
      .getByRole('link', { name: /^Picture \d+ was added$/ })
      .click();
    await page.waitForURL(/\/images\/\d+/);
    await page.goBack();
    await rows().first().waitFor();
  });

  it('are held while it is paused', async () => {
    await page.keyboard.press('p');
    await page.getByText('Paused: what comes is kept').waitFor();
    const before = await first();
    await upload(service, token, samples(43).slice(41));
    await button('Show 2 new events').waitFor();
    expect(await first()).toBe(before);
    await accessible(page);
    await button('Show 2 new events').click();
    await expect.poll(() => first()).not.toBe(before);
  });

  it('are told by kind, also after a reload', async () => {
    await tab('Jobs').click();
    await expect.poll(() => new URL(page.url()).searchParams.get('type')).toBe('job.');
    await rows()
      .first()
      .getByText(/^Job \d+/)
      .waitFor();
    expect(
      await rows()
        .filter({ hasText: /Picture \d+/ })
        .count(),
    ).toBe(0);
    await page.reload();
    await rows()
      .first()
      .getByText(/^Job \d+/)
      .waitFor();
    expect(
      await rows()
        .filter({ hasText: /Picture \d+/ })
        .count(),
    ).toBe(0);
  });
});
