import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  root,
  shoot,
  startService,
  Watch,
  type Service,
} from './harness';
import { ask, enter, tokenOf, upload } from './people';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let token: string;
const watch = new Watch();

interface Images {
  images: { id: number; state: string; name: string }[];
  total: number;
}
const present = async () =>
  (await ask<Images>(service, token, '/api/images?limit=1&where=state:present')).total;

beforeAll(async () => {
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
});

afterEach(() => watch.check());

const heading = (name: string | RegExp) => page.getByRole('heading', { name, level: 1 });
const button = (name: string | RegExp) => page.getByRole('button', { name });
const fates = () => page.getByRole('list', { name: 'Pictures of the cluster' }).getByRole('button');

describe('duplicates', () => {
  it('of an empty library say how to begin', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await heading('Duplicates').waitFor();
    await page.getByText('No picture is here twice').waitFor();
    await accessible(page);
  });

  it('are shown as clusters, what saves most first', async () => {
    const folder = join(root, 'samples');
    const paths = readdirSync(folder)
      .filter((name) => /\.(jpg|png|webp)$/.test(name))
      .map((name) => join(folder, name));
    await upload(service, token, paths);
    await button('Look again').click();
    await page.getByText(/^\d+ clusters$/).waitFor();
    const rows = page.getByRole('region', { name: 'Clusters' }).getByRole('listitem');
    await expect.poll(() => rows.count()).toBeGreaterThan(3);
    await rows.first().getByRole('img', { name: /Keep$/ }).waitFor();
    await accessible(page);
    await shoot(page, 'duplicates');
    // Keys of a slider and of radio buttons are their own, not those of the list.
    await page.getByRole('slider', { name: 'At least this sure' }).press('ArrowRight');
    await expect.poll(() => new URL(page.url()).searchParams.get('threshold')).toBe('0.61');
    await page.getByText(/^\d+ clusters$/).waitFor();
    await page.getByRole('radio', { name: 'Same picture' }).press('ArrowRight');
    await expect.poll(() => new URL(page.url()).searchParams.get('kind')).toBe('similar');
    await page.goto('/duplicates');
    await page.getByText(/^\d+ clusters$/).waitFor();
  }, 180_000);

  it('are compared in four ways, moving together', async () => {
    await page.keyboard.press('o');
    await heading(/^Cluster 1 of/).waitFor();
    await page.getByRole('table').waitFor();
    await accessible(page);
    await shoot(page, 'duplicates-review');
    const panes = page.locator('[data-pane]');
    await expect.poll(() => panes.count()).toBe(2);
    const box = await panes.first().boundingBox();
    if (!box) throw new Error('no pane');
    await page.mouse.move(box.x + box.width / 3, box.y + box.height / 3);
    await page.mouse.wheel(0, -400);
    await button('Closer').click();
    const transforms = await panes.evaluateAll((list) =>
      list.map((one) => one.querySelector<HTMLElement>('[style*=scale]')?.style.transform),
    );
    expect(transforms[0]).toMatch(/scale\([2-9]/);
    expect(transforms[1]).toBe(transforms[0]);
    await page.mouse.move(box.x + box.width / 3, box.y + box.height / 3);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 3 + 40, box.y + box.height / 3 + 10);
    await page.mouse.up();
    const after = await panes.evaluateAll((list) =>
      list.map((one) => one.querySelector<HTMLElement>('[style*=scale]')?.style.transform),
    );
    expect(after[0]).not.toBe(transforms[0]);
    expect(after[1]).toBe(after[0]);
    await page.keyboard.press('0');
    for (const [key, name] of [
      ['2', 'Swipe'],
      ['3', 'Onion skin'],
      ['4', 'Difference'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('radio', { name }).and(page.locator(':checked')).waitFor();
      if (key === '4') {
        await page.getByRole('img', { name: /differ$/ }).waitFor();
        await page.getByText(/^Colour marks where/).waitFor();
      }
      await accessible(page);
      await shoot(page, `duplicates-${name.toLowerCase().replace(' ', '-')}`);
    }
    await page.keyboard.press('2');
    const slider = page.getByRole('slider', { name: 'Swipe' });
    await slider.press('ArrowRight');
    await expect.poll(() => slider.getAttribute('aria-valuenow')).toBe('52');
    await page.keyboard.press('1');
    await page.reload();
    await heading(/^Cluster 1 of/).waitFor(); // a reload comes back to it
  }, 180_000);

  it('are judged with one key, and that is taken back', async () => {
    const first = await heading(/^Cluster/).textContent();
    const verdicts = async () =>
      (await ask<{ verdicts: { verdict: string }[] }>(service, token, '/api/verdicts')).verdicts;
    await page.keyboard.press('n');
    await heading(/^Cluster 2/).waitFor();
    await expect.poll(async () => (await verdicts()).map((one) => one.verdict)).toEqual(['different']);
    await page.keyboard.press('k');
    await heading(/^Cluster 1/).waitFor();
    await expect.poll(() => button('Not the same').getAttribute('aria-pressed')).toBe('true');
    await expect.poll(() => fates().filter({ hasText: 'stays' }).count()).toBe(1);
    await page.keyboard.press('z');
    await expect.poll(verdicts).toEqual([]);
    await expect.poll(() => button('Not the same').getAttribute('aria-pressed')).toBe('false');
    await expect.poll(() => heading(/^Cluster/).textContent()).toBe(first);
  });

  it('keep another picture when asked to', async () => {
    const names = () => fates().allTextContents();
    const before = await names();
    expect(before).toEqual(['Keep', 'goes']);
    await page.keyboard.press('b');
    await expect.poll(names).toEqual(['goes', 'Keep']);
    await page.keyboard.press('z');
    await expect.poll(names).toEqual(['Keep', 'goes']);
    await page.keyboard.press('t');
    await expect.poll(names).toEqual(['Keep', 'stays']);
    await page.keyboard.press('z');
    await page.keyboard.press('a'); // accepted, and on to the next
    await heading(/^Cluster 2/).waitFor();
    await page.keyboard.press('x'); // all of this one stay
    await heading(/^Cluster 3/).waitFor();
    await page.keyboard.press('Escape');
    await heading('Duplicates').waitFor();
    await page.getByText(/2 of \d+ decided/).waitFor();
    await page.reload();
    await page.getByText(/2 of \d+ decided/).waitFor(); // decisions outlive the page
  });

  it('are accepted by rule', async () => {
    await button('Accept by rule').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/pictures? goe?s?, /).waitFor();
    await accessible(page);
    await dialog.getByRole('slider', { name: 'At least this sure' }).fill('0.5');
    await dialog.getByRole('combobox').selectOption({ label: 'The one with most pixels' });
    await dialog.getByRole('button', { name: 'Accept these' }).click();
    await page
      .getByRole('status')
      .getByText(/clusters? accepted/)
      .waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText(/2 of \d+ decided/).waitFor();
    await button('Accept by rule').click();
    await dialog.getByRole('button', { name: 'Accept these' }).click();
    await dialog.waitFor({ state: 'detached' });
    await button('See the plan').waitFor();
    for (const close of await page.getByRole('button', { name: 'Close' }).all()) await close.click();
  });

  it('become a plan that is looked at, carried out and taken back', async () => {
    const before = await present();
    await button('See the plan').click();
    await heading(/^Plan \d+/).waitFor();
    await page.getByText('Nothing has moved yet').waitFor();
    await accessible(page);
    await shoot(page, 'duplicates-plan');
    expect(await present()).toBe(before);
    await button(/^Move \d+ pictures? to the trash/).click();
    await page.getByText('Done: the pictures are in the trash.').waitFor();
    expect(await present()).toBeLessThan(before);
    await accessible(page);
    await button('Put everything back').click();
    await page.getByText('Taken back: everything is where it was.').waitFor();
    expect(await present()).toBe(before);
    await button('Back to the clusters').click();
    await heading('Duplicates').waitFor();
    await button('Plans').click();
    await page.getByText('taken back').waitFor();
    await accessible(page);
    await shoot(page, 'duplicates-plans');
    await page.getByRole('button', { name: 'Back to the list' }).click();
  }, 120_000);

  it('are looked for by a job where the library is large, also after a reload', async () => {
    await page.route('**/api/deduplicate', async (route) => {
      const body = route.request().postDataJSON() as object;
      await route.continue({ postData: JSON.stringify({ ...body, async: true }) });
    });
    await page.goto('/duplicates?kind=similar');
    await page.waitForURL(/job=\d+/);
    await page.getByText(/^\d+ clusters?$/).waitFor();
    await page.unroute('**/api/deduplicate');
    await page.reload();
    await page.getByText(/^\d+ clusters?$/).waitFor();
    await page.goto('/duplicates?kind=similar');
    await page.getByText(/^\d+ clusters?$/).waitFor(); // what was found is remembered
    await expect.poll(() => button('See the plan').count()).toBe(0); // nothing goes that is only similar
  });

  it('that cannot be looked for say so', async () => {
    watch.allowed.push(/500/);
    await page.route('**/api/deduplicate', (route) =>
      route.fulfill({ status: 422, json: { detail: 'the filter has no end' } }),
    );
    await page.goto('/duplicates?where=(');
    await page.getByRole('alert').getByText('The filter has no end.').waitFor();
    await page.unroute('**/api/deduplicate');
  });
});
