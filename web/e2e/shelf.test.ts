import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  PHONE,
  samples,
  shoot,
  startService,
  Watch,
  type Service,
} from './harness';
import { withExif } from './exif';
import { ask, enter, tokenOf, upload } from './people';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let token: string;
const watch = new Watch();

interface Image {
  id: number;
  name: string;
  title: string;
  tags: string[];
  width: number;
  project_id: number;
}
const images = async (where = '') =>
  (await ask<{ images: Image[] }>(service, token, `/api/images?limit=500&where=${encodeURIComponent(where)}`))
    .images;
const heading = (name: string) => page.getByRole('heading', { name, level: 1 });

/** The same picture, smaller and compressed anew, by the browser's own means. */
async function smaller(path: string, share = 0.7): Promise<Buffer> {
  const bytes = readFileSync(path).toString('base64');
  const text = await page.evaluate(
    async ([data = '', by]) => {
      const picture = await createImageBitmap(
        new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type: 'image/jpeg' }),
      );
      const canvas = new OffscreenCanvas(picture.width * Number(by), picture.height * Number(by));
      canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 });
      return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
    },
    [bytes, String(share)],
  );
  return Buffer.from(text, 'base64');
}

const pick = (files: { name: string; mimeType: string; buffer: Buffer }[] | string[]) =>
  page.locator('input[data-pick=files]').setInputFiles(files);
const jpeg = (name: string, buffer: Buffer) => ({ name, mimeType: 'image/jpeg', buffer });

beforeAll(async () => {
  service = await startService(['--rate-limit', '0']);
  browser = await openBrowser();
  context = await browser.newContext({ baseURL: service.url, viewport: DESKTOP, reducedMotion: 'reduce' });
  await watch.follow(context);
  page = await context.newPage();
  await enter(page, service);
  token = await tokenOf(service);
  await upload(service, token, samples(12), 'shelf');
}, 180_000);

afterAll(async () => {
  await browser.close();
  await service.stop();
  forget(service);
});

afterEach(() => watch.check());

describe('the menu', () => {
  it('on phones shows four whole names, and the rest in a sheet', async () => {
    await page.setViewportSize(PHONE);
    const bar = page.getByRole('navigation', { name: 'Pages' });
    expect(await bar.getByRole('link').allTextContents()).toEqual([
      'Overview',
      'Library',
      'Search',
      'Upload',
    ]);
    const cut = await bar
      .locator('a:visible span, button:visible span')
      .evaluateAll((all) => all.filter((span) => span.scrollWidth > span.clientWidth).length);
    expect(cut).toBe(0);
    await bar.getByRole('button', { name: 'More' }).focus();
    await page.keyboard.press('Enter');
    const sheet = page.getByRole('dialog', { name: 'More pages' });
    await sheet.getByRole('link', { name: 'Duplicates' }).waitFor();
    await accessible(page);
    await page.screenshot({ path: 'screenshots/menu-phone.png' });
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(
      await bar.getByRole('button', { name: 'More' }).evaluate((it) => it === document.activeElement),
    ).toBe(true);
    await page.keyboard.press('Enter');
    await sheet.getByRole('link', { name: 'Duplicates' }).click();
    await heading('Duplicates').waitFor();
    await sheet.waitFor({ state: 'detached' });
    await accessible(page);
  });

  it('on a desk that is too low scrolls', async () => {
    await page.setViewportSize({ width: 1000, height: 360 });
    const bar = page.getByRole('navigation', { name: 'Pages' });
    expect(await bar.getByRole('button', { name: 'More' }).isVisible()).toBe(false);
    const last = bar.getByRole('link').last();
    await last.focus();
    const inside = await last.evaluate((link) => {
      const { top, bottom } = link.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    });
    expect(inside).toBe(true);
    expect(await bar.evaluate((it) => it.scrollHeight > it.clientHeight)).toBe(true);
    await accessible(page);
    await page.setViewportSize(DESKTOP);
  });
});

describe('copies in an upload', () => {
  const gate = () => page.getByRole('region', { name: 'This is here already' });

  it('are shown beside what is here, and skipped, kept or replaced', async () => {
    const before = await images();
    await page.goto('/upload');
    const switched = page.getByRole('switch', { name: 'Ask about copies' });
    expect(await switched.isChecked()).toBe(true);
    const paths = samples(3);
    const copies = await Promise.all(paths.map((path) => smaller(path)));
    await pick(copies.map((copy, i) => jpeg(`copy-${i + 1}.jpg`, copy)));
    await gate().getByText('3 pictures wait for your answer.').waitFor();
    await gate().getByText('copy-1.jpg').waitFor();
    await gate().getByText('photo-0001.jpg').waitFor();
    await expect
      .poll(() =>
        gate()
          .locator('img')
          .evaluateAll((all) => all.every((img) => (img as HTMLImageElement).naturalWidth > 0)),
      )
      .toBe(true);
    await accessible(page);
    await shoot(page, 'upload-copies');
    await page.keyboard.press('s');
    await gate().getByText('copy-2.jpg').waitFor();
    await page.keyboard.press('k');
    await gate().getByText('copy-3.jpg').waitFor();
    await gate()
      .getByRole('button', { name: /^Replace/ })
      .click();
    await gate().waitFor({ state: 'detached' });
    await page.getByText('The older picture is deleted.').waitFor();
    await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Close' }).click();
    await expect.poll(async () => (await images()).map(({ name }) => name)).not.toContain('photo-0003.jpg');
    const now = await images();
    expect(now.length).toBe(before.length + 1);
    expect(now.map(({ name }) => name)).not.toContain('copy-1.jpg');
    expect(now.find(({ name }) => name === 'copy-3.jpg')?.tags).toEqual(['shelf']);
    await page.getByText('Left out').waitFor();
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });

  it('can be answered for all, and a replacement taken back', async () => {
    const before = (await images()).length;
    const copies = await Promise.all(
      samples(8)
        .slice(4)
        .map((path) => smaller(path, 0.6)),
    );
    await pick(copies.map((copy, i) => jpeg(`more-${i + 1}.jpg`, copy)));
    await gate().getByText('4 pictures wait for your answer.').waitFor();
    await page.keyboard.press('a');
    expect(
      await gate()
        .getByRole('checkbox', { name: /Do so for all/ })
        .isChecked(),
    ).toBe(true);
    await page.keyboard.press('r');
    await page.getByText('4 older pictures are deleted.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('4 pictures are here.').waitFor();
    expect((await images()).length).toBe(before + 4);
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });

  it('are not asked about when nobody wants that', async () => {
    await page.getByRole('switch', { name: 'Ask about copies' }).uncheck();
    await page.reload();
    expect(await page.getByRole('switch', { name: 'Ask about copies' }).isChecked()).toBe(false);
    await pick([jpeg('quiet.jpg', await smaller(samples(10)[9] ?? '', 0.5))]);
    await page.getByText('One picture is here.').waitFor();
    expect(await gate().count()).toBe(0);
    await page.getByRole('switch', { name: 'Ask about copies' }).check();
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });
});

describe('large files', () => {
  // What follows the end of a JPEG is nobody's business.
  const large = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(17_000_000)]);

  it('go over a link of their own, and are not sent again after a question', async () => {
    await page.goto('/upload');
    const sent: string[] = [];
    const listen = (request: { method: () => string; url: () => string }) => {
      const { pathname } = new URL(request.url());
      if (request.method() === 'PUT' || /presign|ingest|^\/api\/images$/.test(pathname))
        sent.push(`${request.method()} ${pathname.replace(/[0-9a-f]{32}/, 'ID')}`);
    };
    page.on('request', listen);
    await pick([jpeg('large.jpg', large(await smaller(samples(12)[11] ?? '')))]);
    await page.getByText('What to do?').waitFor({ timeout: 60_000 });
    await page.keyboard.press('k');
    await page.getByText('One picture is here.').waitFor({ timeout: 60_000 });
    page.off('request', listen);
    expect(sent).toEqual([
      'POST /api/presign/upload',
      'PUT /api/uploads/ID',
      'POST /api/images/ingest',
      'POST /api/images/ingest',
    ]);
    expect((await images('name:large.jpg')).length).toBe(1);
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });

  it('pause, go on and are tried again', async () => {
    await page.goto('/upload');
    const file = large(readFileSync(samples(20)[19] ?? ''));
    let refuse = true;
    await page.route('**/api/uploads/**', async (route) => {
      if (refuse) await new Promise((resolve) => setTimeout(resolve, 3000));
      await route.continue().catch(() => undefined);
    });
    await pick([jpeg('held.jpg', file)]);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Waiting', { exact: true }).waitFor();
    refuse = false;
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('One picture is here.').waitFor({ timeout: 60_000 });
    await page.unroute('**/api/uploads/**');
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });
});

describe('one picture', () => {
  it('tells what its camera wrote, and nothing of it can do harm', async () => {
    const camera = withExif(
      readFileSync(samples(30)[29] ?? ''),
      [
        [0x010f, 'Canon'],
        [0x0110, 'Canon EOS R6'],
        [0x0131, '<img src=x onerror=alert(7)>'],
      ],
      [
        [0x829a, [1, 125]],
        [0x829d, [28, 10]],
        [0x8827, 400],
        [0x9209, 0],
        [0x920a, [50, 1]],
      ],
    );
    await page.goto('/upload');
    await pick([jpeg('camera.jpg', camera)]);
    await page.getByText('One picture is here.').waitFor();
    await page.getByRole('link', { name: 'camera.jpg' }).click();
    const facts = page.getByRole('dialog').getByRole('complementary');
    await facts.getByText('Canon EOS R6', { exact: true }).waitFor();
    await facts.getByText('1/125 s · f/2.8 · ISO 400').waitFor();
    await facts.getByText('50 mm').waitFor();
    await facts.getByText('Did not fire').waitFor();
    await facts.getByText('<img src=x onerror=alert(7)>').waitFor();
    await facts.getByRole('heading', { name: 'Camera' }).scrollIntoViewIfNeeded();
    await accessible(page);
    await shoot(page, 'picture-camera');
  });

  it('tells what was said of it, and takes it back', async () => {
    const [first, second] = await images();
    if (!first || !second) throw new Error('no pictures');
    await ask(service, token, '/api/verdicts', { verdict: 'anomaly', image_id: first.id });
    await ask(service, token, '/api/verdicts', {
      verdict: 'different',
      image_id: first.id,
      other_id: second.id,
    });
    await ask(service, token, '/api/verdicts', {
      verdict: 'note',
      image_id: first.id,
      note: '<b>scratched</b>',
    });
    await page.goto(`/images/${first.id}`);
    const facts = page.getByRole('dialog').getByRole('complementary');
    await facts.getByRole('heading', { name: 'Verdicts' }).scrollIntoViewIfNeeded();
    await facts.getByText('<b>scratched</b>').waitFor();
    await facts.getByText('An anomaly').waitFor();
    await facts.getByText('No camera wrote anything into it.').waitFor();
    await accessible(page);
    const row = facts.getByRole('listitem').filter({ hasText: 'An anomaly' });
    await row.getByRole('button', { name: 'Take it back' }).click();
    await row.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.waitFor();
    await facts.getByRole('button', { name: `Picture ${second.id}` }).click();
    await page.waitForURL(`**/images/${second.id}`);
    await facts.getByRole('button', { name: `Picture ${first.id}` }).waitFor();
  });

  it('shows its versions', async () => {
    const [first] = await images();
    if (!first) throw new Error('no picture');
    const form = new FormData();
    form.append('file', new Blob([readFileSync(samples(40)[39] ?? '')]), 'second.jpg');
    const answer = await fetch(`${service.url}/api/assets/${first.id}/versions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: form,
    });
    expect(answer.status).toBe(201);
    await page.goto(`/images/${first.id}`);
    const facts = page.getByRole('dialog').getByRole('complementary');
    await facts.getByRole('heading', { name: 'Versions' }).scrollIntoViewIfNeeded();
    await facts.getByRole('link', { name: 'Version 1' }).waitFor();
    await facts.getByText('this one').waitFor();
    await accessible(page);
  });
});
