import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  PHONE,
  startService,
  Watch,
  type Service,
} from './harness';
import { enter } from './people';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const watch = new Watch();

const heading = (name: string) => page.getByRole('heading', { name, level: 1 });

beforeAll(async () => {
  service = await startService(['--rate-limit', '0']);
  browser = await openBrowser();
  context = await browser.newContext({ baseURL: service.url, viewport: DESKTOP, reducedMotion: 'reduce' });
  await watch.follow(context);
  page = await context.newPage();
  await enter(page, service);
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
