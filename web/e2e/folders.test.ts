import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  samples,
  type Service,
  set,
  shoot,
  startService,
  Watch,
} from './harness';
import { ask, enter, tokenOf } from './people';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let token: string;
let disk: string;
const watch = new Watch();

interface Folders {
  folders: { path: string; count: number }[];
}
const listed = async () =>
  (await ask<Folders>(service, token, '/api/images/folders')).folders.map(
    ({ path, count }) => `${path} ${count}`,
  );

/** A folder of this machine with copies of samples, at these places below it. */
function lay(name: string, places: readonly string[], from: readonly string[]): string {
  const top = join(disk, name);
  for (const [i, place] of places.entries()) {
    const source = from[i] ?? '';
    mkdirSync(join(top, place), { recursive: true });
    copyFileSync(source, join(top, place, basename(source)));
  }
  return top;
}

const dialog = () => page.getByRole('dialog', { name: 'Go to' });
const line = (name: RegExp | string) => dialog().getByRole('treeitem', { name });
const shown = () => page.getByRole('listbox').getByRole('option');

async function openFolders(): Promise<void> {
  await page.keyboard.press('j');
  await set(dialog().getByRole('radio', { name: 'Folders' }), true);
}

beforeAll(async () => {
  disk = mkdtempSync(join(tmpdir(), 'magpie-folders-'));
  service = await startService(['--rate-limit', '0']);
  browser = await openBrowser();
  context = await browser.newContext({ baseURL: service.url, viewport: DESKTOP, reducedMotion: 'reduce' });
  await watch.follow(context);
  page = await context.newPage();
  await enter(page, service);
  token = await tokenOf(service);
}, 180_000);

afterAll(async () => {
  await browser.close();
  await service.stop();
  forget(service);
  rmSync(disk, { recursive: true, force: true });
});

afterEach(() => watch.check());

describe('folders', () => {
  it('are none at first, and it is said how to have some', async () => {
    await page.goto('/library');
    await page.getByText('No pictures yet').waitFor();
    await openFolders();
    await dialog().getByText('No folders yet').waitFor();
    await accessible(page);
    await page.keyboard.press('Escape');
  });

  it('come with a folder that is uploaded', async () => {
    const all = samples(6);
    const holiday = lay('holiday', ['', 'rome', 'rome'], all.slice(0, 3));
    const work = lay('work', ['plans', 'plans', 'sites'], all.slice(3));
    await page.goto('/upload');
    await page.locator('input[data-pick=folder]').setInputFiles(holiday);
    await page.getByText('3 pictures are here.').waitFor({ timeout: 60_000 });
    expect(await listed()).toEqual(['/holiday 1', '/holiday/rome 2']);
    await page.locator('input[data-pick=folder]').setInputFiles(work);
    await page.getByText('6 pictures are here.').waitFor({ timeout: 60_000 });
    expect(await listed()).toEqual(['/holiday 1', '/holiday/rome 2', '/work/plans 2', '/work/sites 1']);
  });

  it('are jumped to, and left by the chip or the way back', async () => {
    await page.goto('/library');
    await expect.poll(() => shown().count()).toBe(6);
    await openFolders();
    await line(/^holiday/).waitFor();
    expect(await line(/rome/).count()).toBe(0);
    await accessible(page);
    await line(/^holiday/).click();
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(() => shown().count()).toBe(3);
    expect(new URL(page.url()).searchParams.get('folder')).toBe('/holiday');
    await page.getByText('Folder: /holiday').waitFor();
    await page.goBack();
    await expect.poll(() => shown().count()).toBe(6);
    await page.goForward();
    await expect.poll(() => shown().count()).toBe(3);
    await page.reload();
    await expect.poll(() => shown().count()).toBe(3);
    await page.getByRole('button', { name: 'Remove Folder: /holiday' }).click();
    await expect.poll(() => shown().count()).toBe(6);
  });

  it('are walked through by the keyboard', async () => {
    await openFolders();
    await line(/^holiday/).waitFor();
    await page.keyboard.press('Tab');
    const tree = dialog().getByRole('tree', { name: 'Folders' });
    await expect.poll(() => tree.evaluate((one) => one === document.activeElement)).toBe(true);
    await page.keyboard.press('ArrowRight');
    await line(/^rome/).waitFor();
    expect(await line(/^holiday/).getAttribute('aria-expanded')).toBe('true');
    await shoot(page, 'library-folders');
    await page.keyboard.press('ArrowLeft');
    await line(/^rome/).waitFor({ state: 'detached' });
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByText('Folder: /work/plans').waitFor();
    await expect.poll(() => shown().count()).toBe(2);
    // Who is in a folder finds it open, and the keys with it.
    await page.keyboard.press('j');
    await expect.poll(() => line(/^plans/).getAttribute('aria-selected')).toBe('true');
    await expect.poll(() => tree.evaluate((one) => one === document.activeElement)).toBe(true);
    await accessible(page);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('Folder: /work/sites').waitFor();
    await expect.poll(() => shown().count()).toBe(1);
  });

  it('that are many are found by some letters, and stay text', async () => {
    const bytes = samples(30).slice(6);
    for (const [i, path] of bytes.entries()) {
      const form = new FormData();
      form.append('folder', i === 0 ? '<img src=x onerror=alert(1)>' : `many/number ${i}`);
      form.append('files', new Blob([new Uint8Array(readFileSync(path))]), basename(path));
      const answer = await fetch(`${service.url}/api/images`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: form,
      });
      expect(answer.status).toBe(201);
    }
    await page.goto('/library');
    await page.getByRole('option').first().waitFor();
    await openFolders();
    const field = dialog().getByRole('combobox', { name: 'A part of a folder’s name' });
    await line(/onerror/).waitFor();
    await field.fill('number 17');
    await line(/^number 17/).waitFor();
    expect(await dialog().getByRole('treeitem').count()).toBe(2);
    await accessible(page);
    await shoot(page, 'library-folders-many');
    await field.fill('zzz');
    await dialog().getByText('There is nothing of that name.').waitFor();
    await field.fill('17');
    await line(/^number 17/).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Folder: /many/number 17').waitFor();
    await expect.poll(() => shown().count()).toBe(1);
  });
});
