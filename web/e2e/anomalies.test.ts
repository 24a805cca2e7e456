import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  root,
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
// Drawn by tools/make_samples.py: what does not belong among photographs of clothes.
const STRANGERS = ['0143', '0144', '0145', '0146', '0147', '0148'].map((n) => `photo-${n}.jpg`);

const verdicts = async () =>
  (await ask<{ verdicts: { verdict: string }[] }>(service, token, '/api/verdicts')).verdicts.map(
    (one) => one.verdict,
  );

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

const button = (name: string | RegExp) => page.getByRole('button', { name });
const wall = () => page.getByRole('region', { name: 'Odd ones' });
const tiles = () => wall().locator('[data-tile]');

describe('odd ones', () => {
  it('of an empty library say how to begin', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await page.getByText('Too few pictures to tell what is odd').waitFor();
    await accessible(page);
  });

  it('are ranked, with what does not belong at the top', async () => {
    const folder = join(root, 'samples');
    const photos = readdirSync(folder).filter((name) => name.endsWith('.jpg') && !STRANGERS.includes(name));
    await upload(
      service,
      token,
      photos.slice(0, 60).map((name) => join(folder, name)),
      'clothes',
    );
    await upload(
      service,
      token,
      STRANGERS.map((name) => join(folder, name)),
    );
    await page.reload();
    await tiles().first().waitFor();
    const names = await tiles().evaluateAll((list) =>
      list.slice(0, 8).map((one) => one.getAttribute('aria-label')),
    );
    expect(names.filter((name) => STRANGERS.some((one) => name?.includes(one))).length).toBeGreaterThan(2);
    await page.getByRole('img', { name: /How the scores are spread/ }).waitFor();
    await accessible(page);
    await shoot(page, 'anomalies');
  }, 180_000);

  it('are flagged by the rate of false alarms, at once', async () => {
    const status = page.getByRole('status').filter({ hasText: 'flagged' });
    const count = async () => Number(/^\d+/.exec((await status.textContent()) ?? '')?.[0] ?? NaN);
    const before = await count();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.keyboard.press(']');
    await page.keyboard.press(']');
    await page.keyboard.press(']');
    expect(await count()).toBeGreaterThan(before);
    const slider = page.getByRole('slider', { name: 'False alarms' });
    await slider.fill('0');
    await expect.poll(count).toBe(0);
    expect(asked.filter((url) => url.includes('/api/'))).toEqual([]);
    await slider.fill('14');
    await set(page.getByRole('checkbox', { name: 'Only what is flagged' }), true);
    await expect.poll(() => tiles().count()).toBe(await count());
    await set(page.getByRole('checkbox', { name: 'Only what is flagged' }), false);
  });

  it('show where they are odd', async () => {
    await tiles().first().hover();
    await page.getByRole('img', { name: /^Where .* is odd$/ }).waitFor();
    await page.mouse.move(0, 0);
    await page.keyboard.press('h');
    await expect
      .poll(() => page.getByRole('img', { name: /is odd$/ }).count(), { timeout: 20_000 })
      .toBeGreaterThan(5);
    await accessible(page);
    await shoot(page, 'anomalies-heat');
    await page.keyboard.press('h');
  }, 120_000);

  it('are judged with one key, and that is taken back', async () => {
    await tiles().first().focus();
    await page.keyboard.press('a');
    await expect.poll(verdicts).toEqual(['anomaly']);
    await tiles().first().getByText('anomaly').waitFor();
    await page.keyboard.press('n');
    await expect.poll(verdicts).toEqual(['anomaly', 'normal']);
    await accessible(page);
    await page.keyboard.press('z');
    await page.keyboard.press('z');
    await expect.poll(verdicts).toEqual([]);
  });

  it('are held against normals that are chosen: a tag, a filter, or pictures', async () => {
    await button('What is normal').click();
    await set(page.getByRole('radio', { name: 'Pictures with a tag' }), true);
    await page.getByRole('textbox', { name: 'Tag' }).fill('clothes');
    await accessible(page);
    await button('Use these').click();
    await page.getByText('Normal: tag:"clothes" (60)').waitFor();
    await expect.poll(() => tiles().count()).toBe(STRANGERS.length);
    await accessible(page);
    await page.reload();
    await page.getByText('Normal: tag:"clothes" (60)').waitFor();
    await button(/^Remove Normal/).click();
    await expect.poll(() => tiles().count()).toBeGreaterThan(STRANGERS.length);
    await tiles()
      .nth(8)
      .click({ modifiers: ['Control'] });
    await tiles()
      .nth(17)
      .click({ modifiers: ['Shift'] });
    await page.getByText('10 chosen').waitFor();
    await accessible(page);
    await button('Use as the normals').click();
    await page.getByRole('textbox', { name: 'Tag' }).fill('fine');
    await button('Use these').click();
    await page.getByText('Normal: tag:"fine" (10)').waitFor();
    await page.goto('/anomalies?normals=tag:nobody');
    await page.getByRole('alert').waitFor();
    await page.goto('/anomalies');
    await tiles().first().waitFor();
  }, 120_000);

  it('are taken away as a list', async () => {
    for (const [item, name] of [
      ['As CSV', 'anomalies.csv'],
      ['As JSON', 'anomalies.json'],
    ] as const) {
      await button('Export').click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: item }).click(),
      ]);
      expect(download.suggestedFilename()).toBe(name);
      const text = readFileSync(await download.path(), 'utf8');
      if (name.endsWith('json'))
        expect((JSON.parse(text) as { anomalies: unknown[] }).anomalies.length).toBe(66);
      else expect(text.trim().split('\r\n').length).toBe(67);
    }
  });

  it('are opened in full, and followed from there', async () => {
    await tiles().first().click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});

describe('quality', () => {
  it('shows pictures by their faults', async () => {
    await set(page.getByRole('radio', { name: 'Quality' }), true);
    const faults = page.getByRole('region', { name: 'Pictures with a fault' });
    await faults.locator('[data-tile]').first().waitFor();
    await accessible(page);
    await shoot(page, 'quality');
    await button(/^Blank/).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('issue')).toBe('blank');
    await expect.poll(() => faults.locator('[data-tile]').count()).toBe(1);
    await faults.getByText('Blank').waitFor();
    await button(/^Too bright/).click();
    await page.reload();
    await button(/^Too bright/)
      .and(page.locator('[aria-pressed=true]'))
      .waitFor();
    await page.getByText('No faults found').waitFor();
    await accessible(page);
  }, 120_000);
});
