import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  PHONE,
  samples,
  type Service,
  set,
  shoot,
  startService,
  Watch,
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
  const cutOff = (bar: Locator) =>
    bar
      .locator('a:visible span, button:visible span')
      .evaluateAll((all) => all.filter((span) => span.scrollWidth > span.clientWidth).length);

  it('on phones shows four whole names, and the rest in a sheet', async () => {
    await page.setViewportSize(PHONE);
    await page.goto('/upload');
    await page.evaluate(() => localStorage.setItem('magpie.language', 'de'));
    await page.reload();
    const german = page.getByRole('navigation', { name: 'Seiten' });
    await german.getByRole('button', { name: 'Mehr' }).waitFor();
    expect(await cutOff(german)).toBe(0);
    await page.evaluate(() => localStorage.setItem('magpie.language', 'en'));
    await page.reload();
    const bar = page.getByRole('navigation', { name: 'Pages' });
    await bar.getByRole('button', { name: 'More' }).waitFor();
    await expect
      .poll(() => bar.getByRole('link').allTextContents())
      .toEqual(['Overview', 'Library', 'Search', 'Upload']);
    expect(await cutOff(bar)).toBe(0);
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
    await expect.poll(() => bar.getByRole('button', { name: 'More' }).isVisible()).toBe(false);
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
    await expect.poll(() => switched.isChecked()).toBe(true);
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

  it('are reminded of on other pages', async () => {
    const copy = await smaller(samples(11)[10] ?? '');
    await page.route('**/api/images', async (route) => {
      await page.getByRole('heading', { name: 'Library', level: 1 }).waitFor();
      await route.continue();
    });
    await pick([jpeg('later.jpg', copy)]);
    await page.getByRole('link', { name: 'Library' }).click();
    await page.getByText('One picture waits for your answer.').waitFor();
    await page.unroute('**/api/images');
    await page.getByRole('button', { name: 'Answer' }).click();
    await gate().getByText('later.jpg').waitFor();
    await page.keyboard.press('s');
    await page.getByText('Left out').waitFor();
    await page.getByRole('button', { name: 'Clear the list' }).click();
  });

  it('are not asked about when nobody wants that', async () => {
    await set(page.getByRole('switch', { name: 'Ask about copies' }), false);
    await page.reload();
    await expect.poll(() => page.getByRole('switch', { name: 'Ask about copies' }).isChecked()).toBe(false);
    await pick([jpeg('quiet.jpg', await smaller(samples(10)[9] ?? '', 0.5))]);
    await page.getByText('One picture is here.').waitFor();
    await expect.poll(() => gate().count()).toBe(0);
    await set(page.getByRole('switch', { name: 'Ask about copies' }), true);
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
    await facts.getByRole('link', { name: 'Compare' }).click();
    await page.waitForURL(`**/projects/*/assets/${first.id}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
  });
});

describe('the library', () => {
  const chosen = (n: number) => page.getByText(`${n} chosen`);
  /** The first three, by keys alone. */
  async function chooseThree(): Promise<void> {
    await page.getByRole('listbox').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press(' ');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await chosen(3).waitFor();
  }
  const marked = () =>
    page
      .locator('[role=option][aria-selected=true]')
      .evaluateAll((all) => all.map((one) => Number((one as HTMLElement).dataset['id'])));
  const rows = async (ids: number[]) => (await images()).filter(({ id }) => ids.includes(id));
  const tagsOf = async (ids: number[]) => (await rows(ids)).map(({ id, tags }) => [id, tags.toSorted()]);

  it('goes to a month by a few letters', async () => {
    for (const [i, year] of [2019, 2021].entries()) {
      const dated = withExif(
        readFileSync(samples(52)[50 + i] ?? ''),
        [],
        [[0x9003, `${year}:05:01 12:30:15`]],
      );
      const form = new FormData();
      form.append('files', new Blob([new Uint8Array(dated)]), `may-${year}.jpg`);
      const answer = await fetch(`${service.url}/api/images`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: form,
      });
      expect(answer.status).toBe(201);
    }
    await page.goto('/library?sort=date');
    await page.getByText('May 2021').waitFor();
    await page.keyboard.press('j');
    const dialog = page.getByRole('dialog', { name: 'Go to' });
    await dialog.getByRole('option', { name: /May 2021/ }).waitFor();
    await accessible(page);
    await page.keyboard.type('2019');
    await expect.poll(() => dialog.getByRole('option').count()).toBe(1);
    await shoot(page, 'library-jump');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('May 2019').waitFor();
    const active = page.getByRole('listbox');
    const wanted = (await images('name:may-2019.jpg'))[0]?.id;
    await expect.poll(() => active.getAttribute('aria-activedescendant')).toBe(`picture-${wanted}`);
    await page.keyboard.press('j');
    await page.keyboard.type('zzz');
    await dialog.getByText('There is nothing of that name.').waitFor();
    await accessible(page);
    await page.keyboard.press('Escape');
  });

  it('tags many, and takes back what was not there before', async () => {
    await page.goto('/library');
    await page.getByRole('option').first().waitFor();
    await chooseThree();
    const ids = await marked();
    const [first = 0] = ids;
    await ask(service, token, '/api/images/tags', { ids: [first], add_tags: ['Mine'] });
    const before = await tagsOf(ids);
    await page.keyboard.press('t');
    await page.getByLabel('Add tags').fill('mine, fresh');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('3 pictures have their tags.').waitFor();
    expect((await rows(ids)).every(({ tags }) => tags.includes('fresh'))).toBe(true);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => tagsOf(ids)).toEqual(before);
    await page.keyboard.press('Escape');
  });

  it('moves many to another project, and back', async () => {
    const { id: coast } = await ask<{ id: number }>(service, token, '/api/projects', { name: 'Coast' });
    await page.reload();
    await page.getByRole('option').first().waitFor();
    await chooseThree();
    const ids = await marked();
    await page.keyboard.press('m');
    const dialog = page.getByRole('dialog', { name: 'Move 3 pictures' });
    await set(dialog.getByRole('radio', { name: 'Coast' }), true);
    await accessible(page);
    await shoot(page, 'library-move');
    await dialog.getByRole('button', { name: 'Move' }).click();
    await page.getByText('3 pictures are in Coast now.').waitFor();
    expect((await rows(ids)).map(({ project_id }) => project_id)).toEqual([coast, coast, coast]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect
      .poll(async () => (await rows(ids)).some(({ project_id }) => project_id === coast))
      .toBe(false);
  });

  it('hides what goes from the project that is shown', async () => {
    await page.getByRole('button', { name: /^Project:/ }).click();
    await page.getByRole('menuitemradio', { name: 'default' }).click();
    await page.getByRole('option').first().waitFor();
    await chooseThree();
    const ids = await marked();
    await page.keyboard.press('m');
    await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
    for (const id of ids) await page.locator(`#picture-${id}`).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    for (const id of ids) await page.locator(`#picture-${id}`).waitFor();
    await page.getByRole('button', { name: /^Project:/ }).click();
    await page.getByRole('menuitemradio', { name: 'All projects' }).click();
  });
});

describe('what the service refuses', () => {
  const refuse = (path: string) =>
    page.route(path, (route) =>
      ['POST', 'PATCH'].includes(route.request().method())
        ? route.fulfill({
            status: 403,
            contentType: 'application/problem+json',
            body: JSON.stringify({
              title: 'Forbidden',
              status: 403,
              detail: 'you may look at this, not change it',
            }),
          })
        : route.continue(),
    );
  const alert = () => page.getByRole('alert').filter({ hasText: 'You may look at this, not change it.' });

  it('comes back: a deletion', async () => {
    await refuse('**/api/images/delete');
    await page.goto('/library');
    const first = page.getByRole('option').first();
    await first.waitFor();
    const id = (await first.getAttribute('id')) ?? '';
    await first.click({ modifiers: ['Control'] });
    await page.keyboard.press('Delete');
    await page.locator(`#${id}`).waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Close' }).click();
    await alert().waitFor();
    await page.locator(`#${id}`).waitFor();
    await accessible(page);
    await page.unroute('**/api/images/delete');
  });

  it('comes back: two deletions, of which one is taken back', async () => {
    await page.goto('/library');
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      const first = page.getByRole('option').first();
      await first.waitFor();
      ids.push((await first.getAttribute('id')) ?? '');
      await first.click({ modifiers: ['Control'] });
      await page.keyboard.press('Delete');
      await page.locator(`#${ids[i]}`).waitFor({ state: 'detached' });
    }
    await page.getByRole('button', { name: 'Undo' }).first().click();
    await page.locator(`#${ids[0]}`).waitFor();
    await expect.poll(() => page.locator(`#${ids[1]}`).count()).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).first().click();
    await page.locator(`#${ids[1]}`).waitFor();
  });

  it('comes back: a move', async () => {
    await refuse('**/api/images/move');
    const first = page.getByRole('option').first();
    await first.click({ modifiers: ['Control'] });
    await page.keyboard.press('m');
    await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
    await alert().waitFor();
    await page.unroute('**/api/images/move');
  });

  it('comes back: a tag in the view of a picture, where the notice can be read', async () => {
    const [one] = await images();
    await refuse(`**/api/images/${one?.id}`);
    await page.goto(`/images/${one?.id}`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Add a tag').fill('refused');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByRole('alert').filter({ hasText: 'You may look at this, not change it.' }).waitFor();
    await dialog.getByText('refused', { exact: true }).waitFor({ state: 'detached' });
    await accessible(page);
    await shoot(page, 'refused');
    await dialog.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Close' }).click();
    await dialog.getByRole('alert').waitFor({ state: 'detached' });
    await page.unroute(`**/api/images/${one?.id}`);
  });
});

describe('searching', () => {
  const results = () => page.getByRole('region', { name: 'Results' });
  const mix = () => new URL(page.url()).searchParams.get('mix');
  const saved = () => page.getByRole('region', { name: 'Saved searches' });

  it('mixes hits in, as what is wanted or not, and files with weights', async () => {
    await page.goto('/search?q=shoes');
    const first = results().getByRole('img').first();
    await first.waitFor();
    const name = (await first.getAttribute('alt')) ?? '';
    await results()
      .getByRole('button', { name: `More like ${name}` })
      .first()
      .focus();
    await page.keyboard.press('Enter');
    await expect.poll(mix).toMatch(/^id:1:\d+$/);
    const id = mix()?.split(':')[2] ?? '';
    await page.getByRole('button', { name: `Not like this: Picture ${id}` }).click();
    await expect.poll(mix).toBe(`-id:1:${id}`);
    const weight = page.getByRole('slider', { name: `Weight of Picture ${id}` });
    await weight.focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(mix).toBe(`-id:0.9:${id}`);
    await results().getByRole('img').first().waitFor();
    await accessible(page);
    await page.locator('input[type=file]').setInputFiles(samples(5).slice(4));
    const asked = page.waitForRequest(
      (request) => request.url().endsWith('/api/search') && request.postData()?.includes('"data"') === true,
    );
    const file = page.getByRole('slider', { name: 'Weight of photo-0005.jpg' });
    await file.focus();
    await page.keyboard.press('ArrowRight');
    const answer = await (await asked).response();
    expect(answer?.status()).toBe(200);
    await expect.poll(() => page.getByRole('button', { name: 'Save this search' }).isDisabled()).toBe(true);
  });

  it('draws the line, and keeps the slider in the address', async () => {
    await page.goto('/search?q=shoes');
    const slider = page.getByRole('slider', { name: 'At least' });
    await slider.focus();
    const all = await results().getByRole('img').count();
    await page.keyboard.press('End');
    await page.waitForURL('**min=*');
    await expect.poll(() => results().getByRole('img').count()).toBeLessThan(all);
    await page.reload();
    await results().getByRole('img').first().waitFor();
    await expect.poll(() => results().getByRole('img').count()).toBeLessThan(all);
    await slider.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => new URL(page.url()).searchParams.get('min')).toBeNull();
    await expect.poll(() => results().getByRole('img').count()).toBe(all);
  });

  it('keeps searches by name, here and among the commands', async () => {
    await page.goto('/search?q=shoes&mix=-text:1:red');
    await results().getByRole('img').first().waitFor();
    await page.keyboard.press('b');
    const name = page.getByLabel('Name', { exact: true });
    await expect.poll(() => name.inputValue()).toBe('shoes, −red');
    await accessible(page);
    await name.fill('<i>Shoes</i>');
    await page.keyboard.press('Enter');
    await saved().getByRole('link', { name: '<i>Shoes</i>' }).waitFor();
    await accessible(page);
    await shoot(page, 'search-saved');
    await page.goto('/search');
    await saved().getByRole('link', { name: '<i>Shoes</i>' }).click();
    await page.waitForURL('**/search?q=shoes&mix=*');
    await expect
      .poll(() => page.getByRole('textbox', { name: 'What shall be seen on it?' }).inputValue())
      .toBe('shoes');
    await page.goto('/library');
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('<i>');
    await page.getByRole('option', { name: 'Search: <i>Shoes</i>', exact: true }).click();
    await page.waitForURL('**/search?q=shoes&mix=*');
    await saved().getByRole('button', { name: 'Remove <i>Shoes</i>' }).click();
    await saved().getByRole('link').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await saved().getByRole('link', { name: '<i>Shoes</i>' }).waitFor();
  });
});
