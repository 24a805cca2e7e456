import { copyFileSync, mkdirSync } from 'node:fs';
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
const HOSTILE = `<img src=x onerror=alert(1)>"'--><script>alert(2)<!--.jpg`.replaceAll('/', '');

beforeAll(async () => {
  service = await startService();
  browser = await openBrowser();
  context = await browser.newContext({ baseURL: service.url, viewport: DESKTOP, reducedMotion: 'reduce' });
  await watch.follow(context);
  page = await context.newPage();
  await page.goto(`/setup?token=${service.setupToken}`);
  await page.getByLabel('User name').fill('root');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await heading('Overview').waitFor();
});

afterAll(async () => {
  await browser.close();
  await service.stop();
  forget(service);
});

afterEach(() => watch.check());

const heading = (name: string) => page.getByRole('heading', { name, level: 1 });
const options = () => page.getByRole('option');

describe('an empty library', () => {
  it('says how to begin', async () => {
    await page.getByRole('heading', { name: 'No pictures yet' }).waitFor();
    await accessible(page);
    await shoot(page, 'dashboard-empty');
    await page.getByRole('link', { name: 'Library' }).click();
    await page.getByRole('heading', { name: 'No pictures yet' }).waitFor();
    await accessible(page);
    await page.getByRole('button', { name: 'Upload pictures' }).click();
    await heading('Upload').waitFor();
    await accessible(page);
    await shoot(page, 'upload-empty');
  });
});

describe('upload', () => {
  it('takes pictures, names of any kind, and leaves the rest out', async () => {
    const hostile = join(service.folder, HOSTILE);
    const [first = ''] = samples(1);
    copyFileSync(first, hostile);
    await page.locator('input[data-pick=files]').setInputFiles([...samples(30), hostile]);
    await page.getByText('31 pictures are here.').waitFor({ timeout: 60_000 });
    await page.getByRole('group', { name: 'Files' }).evaluate((list) => list.scrollTo(0, 1e6));
    await page.getByText('Here already').waitFor(); // the same bytes under the hostile name
    await accessible(page);
    await shoot(page, 'upload');
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });

  it('takes whole folders, with the ones inside', async () => {
    const folder = join(service.folder, 'holiday');
    mkdirSync(join(folder, 'deep'), { recursive: true });
    const [a = '', b = '', c = ''] = samples(33).slice(30);
    copyFileSync(a, join(folder, 'a.jpg'));
    copyFileSync(b, join(folder, 'deep', 'b.jpg'));
    copyFileSync(c, join(folder, 'deep', HOSTILE));
    copyFileSync(join(import.meta.dirname, 'harness.ts'), join(folder, 'notes.txt'));
    await page.locator('input[data-pick=folder]').setInputFiles(folder);
    await page.getByText('One file is no picture and was left out.').waitFor();
    await page.getByText('3 pictures are here.').waitFor({ timeout: 30_000 });
    await page.getByText('holiday/deep').first().waitFor();
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });

  it('pauses, goes on and takes what was pasted', async () => {
    await page.route('**/api/images', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue().catch(() => undefined);
    });
    await page.locator('input[data-pick=files]').setInputFiles(samples(40).slice(33));
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    await page.waitForTimeout(2000);
    await expect.poll(() => page.getByText('7 pictures to go.').count()).toBe(1);
    await page.unroute('**/api/images');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('7 pictures are here.').waitFor({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });

  it('tells what was refused, and why', async () => {
    await page.locator('input[data-pick=files]').setInputFiles({
      name: 'broken.jpg',
      mimeType: 'image/jpeg',
      buffer: Buffer.from('this is no picture'),
    });
    await page.getByText('One failed.').waitFor();
    await page.getByRole('button', { name: 'Try broken.jpg again' }).waitFor();
    await page.getByRole('button', { name: 'Remove broken.jpg' }).click();
  });
});

describe('the library', () => {
  it('is a wall of pictures', async () => {
    await page.getByRole('link', { name: 'Library' }).click();
    await page.getByText('40 pictures').waitFor();
    await options().nth(20).waitFor();
    await page.waitForTimeout(800);
    expect(
      await page.evaluate(() =>
        [...document.querySelectorAll('[role=option] img')].every(
          (img) => (img as HTMLImageElement).complete,
        ),
      ),
    ).toBe(true);
    await accessible(page);
    await shoot(page, 'library');
  });

  it('chooses by clicks, keys and a rubber band', async () => {
    await options()
      .nth(1)
      .click({ modifiers: ['Control'] });
    await page.getByText('One chosen').waitFor();
    await options()
      .nth(5)
      .click({ modifiers: ['Shift'] });
    await page.getByText('5 chosen').waitFor();
    await accessible(page);
    await shoot(page, 'library-chosen');
    await page.getByRole('listbox').focus();
    await page.keyboard.press('Escape');
    await page.getByRole('toolbar').waitFor({ state: 'detached' });
    await page.keyboard.press('Home');
    await page.keyboard.press(' ');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await page.getByText('3 chosen').waitFor();
    await page.keyboard.press('Escape');
    const box = await options().nth(0).boundingBox();
    if (!box) throw new Error('no first picture');
    await page.mouse.move(box.x + 10, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 50, { steps: 4 });
    await page.mouse.move(box.x + 700, box.y + box.height + 40, { steps: 6 });
    await page.mouse.up();
    await page.getByRole('toolbar').waitFor();
    await expect.poll(() => page.locator('[role=option][aria-selected=true]').count()).toBeGreaterThan(3);
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('Escape');
  });

  it('tags many, and keeps filters in the address', async () => {
    await options()
      .nth(0)
      .click({ modifiers: ['Control'] });
    await options()
      .nth(2)
      .click({ modifiers: ['Shift'] });
    await page.getByRole('button', { name: 'Tag', exact: true }).click();
    await page.getByLabel('Add tags').fill('sea, <b>bold</b>');
    await accessible(page);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('3 pictures have their tags.').waitFor();
    await page.getByRole('listbox').focus();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Filter' }).click();
    await accessible(page);
    await page.getByLabel('Tag', { exact: true }).fill('<b>bold</b>');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('3 pictures', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('tag')).toBe('<b>bold</b>');
    await page.reload();
    await page.getByText('3 pictures', { exact: true }).waitFor();
    await accessible(page);
    await page.getByRole('button', { name: 'Remove Tag: <b>bold</b>' }).click();
    await page.getByText('40 pictures').waitFor();
    await page.goto('/library?where=(');
    await page.getByRole('alert').waitFor();
    await page.goto('/library?tag=none');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByText('40 pictures').waitFor();
  });

  it('takes a deletion back, or does it', async () => {
    await options()
      .nth(0)
      .click({ modifiers: ['Control'] });
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('One picture is deleted.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.waitForTimeout(300);
    await options()
      .nth(1)
      .click({ modifiers: ['Control'] });
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('One picture is deleted.').waitFor();
    await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Close' }).click();
    await page.getByText('39 pictures').waitFor();
  });

  it('shows one in full: zoom, the next, facts, tags', async () => {
    await options().nth(0).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'Facts' }).waitFor();
    await dialog.getByRole('button', { name: /./ }).first().waitFor();
    await page.waitForTimeout(700);
    await accessible(page);
    await shoot(page, 'picture');
    const name = await dialog.getByRole('heading', { level: 2 }).textContent();
    await page.keyboard.press('+');
    await dialog.getByText('140%').waitFor();
    await page.keyboard.press('0');
    await dialog.getByText('100%').waitFor();
    await page.mouse.move(500, 450);
    await page.mouse.wheel(0, -400);
    await expect.poll(() => dialog.getByTitle('The whole picture').textContent()).not.toBe('100%');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => dialog.getByRole('heading', { level: 2 }).textContent()).not.toBe(name);
    await dialog.getByLabel('Add a tag').fill(`"><img src=x onerror=alert(3)>`);
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByText('<img src=x').waitFor();
    await dialog.getByLabel('Title').fill('A <i>title</i>');
    await dialog.getByLabel('Title').blur();
    await dialog.getByRole('heading', { name: 'A <i>title</i>' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });
});

describe('search', () => {
  it('finds by words, as they are typed', async () => {
    await page.getByRole('link', { name: 'Search' }).click();
    await page.getByRole('heading', { name: 'Search by words' }).waitFor();
    await accessible(page);
    const field = page.getByRole('textbox', { name: 'What shall be seen on it?' });
    await field.pressSequentially('dog', { delay: 30 });
    await page.waitForURL('**/search?q=dog');
    await page.getByRole('region', { name: 'Results' }).getByRole('img').first().waitFor();
    await page.waitForTimeout(600);
    await accessible(page);
    await shoot(page, 'search');
  });

  it('never shows the answer to an older question', async () => {
    const field = page.getByRole('textbox', { name: 'What shall be seen on it?' });
    await page.route('**/api/search', async (route) => {
      const slow = route.request().postData()?.includes('slow') === true;
      if (slow) await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue().catch(() => undefined);
    });
    await field.fill('slow one');
    await page.waitForURL('**/search?q=slow+one');
    await field.fill('cat');
    await page.waitForURL('**/search?q=cat');
    const fresh = await page.waitForResponse((answer) => answer.url().endsWith('/api/search'));
    expect(fresh.request().postData()).toContain('cat');
    await page.waitForTimeout(1800);
    await page.unroute('**/api/search');
  });

  it('finds by a picture, and mixes', async () => {
    await page.goto('/search');
    await page.locator('input[type=file]').setInputFiles(samples(5).slice(4));
    const results = page.getByRole('region', { name: 'Results' });
    await results.getByRole('img', { name: 'photo-0005.jpg' }).first().waitFor();
    await page.getByLabel('More words').fill('water');
    await page.getByRole('button', { name: 'Add the words' }).click();
    await page.waitForURL('**/search?mix=*');
    await page.getByRole('button', { name: 'Not like this: water' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('mix')).toBe('-text:1:water');
    await results.getByRole('img').first().waitFor();
    await page.waitForTimeout(600);
    await accessible(page);
    await shoot(page, 'search-mixed');
    await results.getByRole('button').first().click();
    await page.getByRole('dialog').getByRole('link', { name: 'Find similar' }).click();
    await page.waitForURL('**/search?like=*');
    await results.getByRole('img').first().waitFor();
  });
});

describe('the overview', () => {
  it('shows what there is', async () => {
    await page.getByRole('link', { name: 'Overview' }).click();
    await heading('Overview').waitFor();
    await page.getByText('39', { exact: true }).waitFor();
    await page.getByRole('heading', { name: 'Added last' }).waitFor();
    await page.waitForTimeout(600);
    await accessible(page);
    await shoot(page, 'dashboard');
  });

  it('is in German, too', async () => {
    await page.evaluate(() => localStorage.setItem('magpie.language', 'de'));
    await page.reload();
    await heading('Übersicht').waitFor();
    await accessible(page);
    await page.evaluate(() => localStorage.setItem('magpie.language', 'en'));
  });
});

describe('without the service', () => {
  it('opens the shell, and goes on when it is back', async () => {
    await page.goto('/library');
    await options().first().waitFor();
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    await page.reload();
    await options().first().waitFor();
    watch.allowed.push(/ERR_INTERNET_DISCONNECTED|Failed to fetch|FetchEvent/);
    await context.setOffline(true);
    await page.reload();
    await page.getByText('The service is out of reach').waitFor();
    await context.setOffline(false);
    await options().first().waitFor({ timeout: 15_000 });
  });
});
