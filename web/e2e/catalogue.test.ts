import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessible,
  DESKTOP,
  forget,
  openBrowser,
  PASSWORD,
  PHONE,
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
let shop: Server;
let shopUrl: string;
const watch = new Watch();
const PICTURES = samples(12);
const HOSTILE = `<img src=x onerror=alert(1)>"'--><script>alert(2)</script>`;

interface Product {
  id: number;
  title: string;
  external_id: string;
  price: string | null;
  category: string;
  index_state: string;
  metadata: Record<string, unknown>;
}
const products = async (query = '') =>
  (await ask<{ products: Product[] }>(service, token, `/products?limit=100${query}`)).products;

/** Those that ask for a picture of /slow/ wait for it until they are let go. */
let letGo = () => {};
const gate = new Promise<void>((resolve) => {
  letGo = resolve;
});

/** Where the pictures of the shop are. */
function openShop(): Promise<Server> {
  const byPath = new Map(PICTURES.map((path) => [`/${basename(path)}`, path]));
  const server = createServer((request, answer) => {
    const [, slow, name = ''] = /^(\/slow)?(\/.*)$/.exec(request.url ?? '') ?? [];
    const path = byPath.get(name);
    const give = () => {
      if (!path) answer.writeHead(404).end();
      else answer.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(readFileSync(path));
    };
    if (slow) void gate.then(give);
    else give();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const CATEGORIES = ['shirts', 'shoes', 'bags'];
const TITLES = ['Plain red shirt', 'Blue running shoe', 'Brown leather bag', 'Green wool hat'];

/** As a shop writes it: names of its own, two rows that are wrong, one that means harm, one without a picture. */
function catalogueFile(): Buffer {
  const rows = PICTURES.map((path, i) =>
    [
      `SKU-${i}`,
      i === 3 ? HOSTILE.replaceAll('"', '""') : (TITLES[i] ?? `Article ${i}`),
      i === 3 ? HOSTILE.replaceAll('"', '""') : `What there is to say of article ${i}`,
      CATEGORIES[i % 3],
      i === 2 ? '20,5' : `${10 + i * 5}.50`,
      'EUR',
      i === 11 ? '' : i === 10 ? `${shopUrl}/gone.jpg` : `${shopUrl}/${basename(path)}`,
      i === 3 ? HOSTILE.replaceAll('"', '""') : 'red',
    ]
      .map((cell) => `"${cell}"`)
      .join(','),
  );
  const head = 'SKU,Name,Beschreibung,Category,Preis,Currency,Photo,Colour';
  const bad = ['BAD-1,Costs nothing that is a number,,shirts,twelve,EUR,,red', 'BAD-2,,,shirts,12,EUR,,red'];
  return Buffer.from([head, ...rows, ...bad].join('\r\n') + '\r\n');
}

beforeAll(async () => {
  shop = await openShop();
  const { port } = shop.address() as AddressInfo;
  shopUrl = `http://127.0.0.1:${port}`;
  service = await startService(['--rate-limit', '0', '--allow-fetch', `127.0.0.1:${port}`]);
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
  shop.close();
});

afterEach(() => watch.check());

const heading = (name: string | RegExp) => page.getByRole('heading', { name, level: 1 });
const button = (name: string | RegExp) => page.getByRole('button', { name });
const cards = () => page.getByRole('region', { name: 'Products' }).locator('[data-tile]');
const hits = () => page.getByRole('list', { name: 'Products found' }).getByRole('listitem');
const parameter = (name: string) => new URL(page.url()).searchParams.get(name);

describe('a catalogue', () => {
  it('that is empty says how to begin', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await page.getByRole('heading', { name: 'No products yet' }).waitFor();
    await accessible(page);
    await shoot(page, 'catalogue-empty');
    await page.keyboard.press('i');
    await heading('Import products').waitFor();
    await accessible(page);
    const [download] = await Promise.all([page.waitForEvent('download'), button('Get an example').click()]);
    expect(readFileSync(await download.path(), 'utf8')).toMatch(/^external_id,title,/);
  });

  it('is imported from a file: columns guessed, refused rows told', async () => {
    await page
      .locator('[data-pick=import]')
      .setInputFiles({ name: 'shop.csv', mimeType: 'text/csv', buffer: catalogueFile() });
    const column = (name: string) => page.getByRole('combobox', { name: `What ${name} is` });
    await column('SKU').waitFor();
    await expect.poll(() => column('SKU').inputValue()).toBe('external_id');
    await expect.poll(() => column('Name').inputValue()).toBe('title');
    await expect.poll(() => column('Beschreibung').inputValue()).toBe('description');
    await expect.poll(() => column('Preis').inputValue()).toBe('price');
    await expect.poll(() => column('Photo').inputValue()).toBe('image_url');
    await expect.poll(() => column('Colour').inputValue()).toBe('detail');
    await accessible(page);
    await shoot(page, 'catalogue-import');
    await column('Colour').selectOption('title');
    await page.getByText('Two columns are the same field').waitFor();
    await expect.poll(() => button('Import').isDisabled()).toBe(true);
    await column('Colour').selectOption('detail');
    await button('Import').click();
    await page.getByRole('heading', { name: '2 rows were refused' }).waitFor();
    await page.getByRole('row', { name: /^14 price.*twelve/ }).waitFor();
    await page.getByRole('row', { name: /^15 title: it must not be empty/ }).waitFor();
    await page.getByRole('definition').filter({ hasText: '12' }).waitFor();
    await accessible(page);
    await shoot(page, 'catalogue-imported');
    const [download] = await Promise.all([page.waitForEvent('download'), button('Download as CSV').click()]);
    const text = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\r\n');
    expect(text[0]).toBe('Line,Reason,SKU,Name,Beschreibung,Category,Preis,Currency,Photo,Colour');
    expect(text[1]).toContain('BAD-1,Costs nothing');
    expect(text.length).toBe(3);
    expect((await products()).length).toBe(12);
  });

  it('has its pictures fetched by a job, and tells what failed', async () => {
    await expect
      .poll(async () => (await products()).filter((one) => one.index_state === 'queued').length, {
        timeout: 60_000,
      })
      .toBe(0);
    const states = (await products()).map((one) => one.index_state);
    expect(states.filter((one) => one === 'indexed').length).toBe(10);
    expect(states.filter((one) => one === 'failed').length).toBe(1);
    await page.getByRole('link', { name: 'To the products' }).click();
    await page.getByText('12 products', { exact: true }).waitFor();
    await expect
      .poll(() =>
        cards()
          .filter({ has: page.locator('img') })
          .count(),
      )
      .toBeGreaterThan(8);
    await accessible(page);
    await shoot(page, 'catalogue');
  }, 120_000);

  it('keeps what means harm as text', async () => {
    await page.getByText('<script>alert(2)</script>').first().waitFor();
    const [harm] = (await products()).filter((one) => one.external_id === 'SKU-3');
    await page.goto(`/catalogue/${harm?.id ?? 0}`);
    await heading(HOSTILE).waitFor();
    await expect.poll(() => page.getByLabel('Value of detail 1').inputValue()).toBe(HOSTILE);
    await accessible(page);
    await page.goto('/catalogue?view=table');
    await page.getByRole('link', { name: HOSTILE }).waitFor();
  });

  it('is narrowed and ordered, and the address keeps it', async () => {
    await set(page.getByRole('checkbox', { name: /^shirts/ }), true);
    await page.getByText('4 products', { exact: true }).waitFor();
    await set(page.getByRole('checkbox', { name: /^bags/ }), true);
    await page.getByText('8 products', { exact: true }).waitFor();
    expect(parameter('category')).toBe('shirts,bags');
    await page.getByRole('textbox', { name: 'Up to' }).fill('30,5');
    await page.keyboard.press('Enter');
    await page.getByText('3 products', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('3 products', { exact: true }).waitFor();
    await button('Remove Price up to 30.5').click();
    await page.getByRole('button', { name: 'Price', exact: true }).click();
    await page
      .getByRole('columnheader', { name: 'Price' })
      .and(page.locator('[aria-sort=ascending]'))
      .waitFor();
    await page.getByRole('row').nth(1).getByText('€10.50').waitFor();
    await page.getByRole('button', { name: 'Price', exact: true }).click();
    await page
      .getByRole('columnheader', { name: 'Price' })
      .and(page.locator('[aria-sort=descending]'))
      .waitFor();
    await page.getByRole('row').nth(1).getByText('€65.50').waitFor();
    await accessible(page);
    await shoot(page, 'catalogue-table');
    await button('Remove Category: shirts').click();
    await button('Remove Category: bags').click();
    await page.getByText('12 products', { exact: true }).waitFor();
    await set(page.getByRole('radio', { name: 'Without' }), true);
    await page.getByText('2 products', { exact: true }).waitFor();
    await page.getByRole('textbox', { name: 'From' }).fill('5000');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing matches these filters').waitFor();
    await accessible(page);
    await button('Take all filters away').click();
    await page.getByText('12 products', { exact: true }).waitFor();
    await page.setViewportSize(PHONE);
    await button('Filter').click();
    const dialog = page.getByRole('dialog', { name: 'Filter' });
    await set(dialog.getByRole('checkbox', { name: /^shoes/ }), true);
    await accessible(page);
    await shoot(page, 'catalogue-filter');
    await page.setViewportSize(PHONE);
    await dialog.getByRole('button', { name: 'Show the products' }).click();
    await page.getByText('4 products', { exact: true }).waitFor();
    await page.setViewportSize(DESKTOP);
  }, 120_000);
});

describe('searching', () => {
  it('by words finds what is said and what is seen', async () => {
    await page.goto('/catalogue');
    await page.getByText('12 products', { exact: true }).waitFor();
    await page.keyboard.press('f');
    await page.keyboard.type('leather bag');
    await page.keyboard.press('Enter');
    await hits().first().getByText('Brown leather bag').waitFor();
    await hits().first().getByText('words 100%').waitFor();
    expect(parameter('q')).toBe('leather bag');
    await set(page.getByRole('checkbox', { name: /^shoes/ }), true);
    await expect.poll(() => hits().getByText('Brown leather bag').count()).toBe(0);
    await button('Remove Category: shoes').click();
    await hits().first().getByText('Brown leather bag').waitFor();
    await page.getByRole('slider', { name: 'What counts' }).fill('1');
    await page.getByRole('slider', { name: 'What counts' }).blur();
    await page.getByText('4 products, the best first').waitFor(); // the bags, of whatever kind
    expect(parameter('weight')).toBe('1');
    await accessible(page);
    await page.getByRole('searchbox', { name: /^Words/ }).fill('gramophone');
    await page.keyboard.press('Enter');
    await page.getByText('No product matches').waitFor();
    await accessible(page);
  }, 120_000);

  it('by a picture, and by both together', async () => {
    await page.goto('/catalogue');
    await page.locator('[data-pick=search]').setInputFiles(PICTURES[4] ?? '');
    await hits().first().getByText('Article 4').waitFor();
    await hits().first().getByText('picture 1.00').waitFor();
    await page.keyboard.press('f');
    await page.keyboard.type('leather bag');
    await page.keyboard.press('Enter');
    await page.getByRole('slider', { name: 'What counts' }).waitFor();
    const found = hits().filter({ hasText: 'Brown leather bag' });
    await found.getByText(/picture .* words 100%/).waitFor();
    await accessible(page);
    await shoot(page, 'catalogue-search');
    await page.getByRole('slider', { name: 'What counts' }).fill('0.9');
    await page.getByRole('slider', { name: 'What counts' }).blur();
    await hits().first().getByText('Brown leather bag').waitFor();
    await button('Search without the picture').click();
    await hits().first().getByText('Brown leather bag').waitFor();
    await page.getByRole('searchbox', { name: /^Words/ }).fill('');
    await page.getByText('12 products', { exact: true }).waitFor();
  }, 120_000);

  it('takes a picture that is dropped', async () => {
    const bytes = readFileSync(PICTURES[5] ?? '').toString('base64');
    const transfer = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      const data = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      transfer.items.add(new File([data], 'dropped.jpg', { type: 'image/jpeg' }));
      return transfer;
    }, bytes);
    await page.dispatchEvent('#main > div', 'drop', { dataTransfer: transfer });
    await page.getByText('dropped.jpg').waitFor();
    await hits().first().getByText('Article 5').waitFor();
    await hits().first().getByRole('link').click();
    await heading('Article 5').waitFor();
    await page.goBack();
    await page.getByText('dropped.jpg').waitFor(); // the search is as it was
    await hits().first().getByRole('link').click();
    await heading('Article 5').waitFor();
    await page.getByRole('link', { name: 'Similar products' }).click();
    await page.getByText('Like Article 5').waitFor();
    await expect.poll(() => hits().filter({ hasText: 'Article 5' }).count()).toBe(0);
    await hits()
      .first()
      .getByText(/^picture/)
      .waitFor();
    await button('Search without the picture').click();
    await page.getByText('12 products', { exact: true }).waitFor();
  });
});

describe('a product', () => {
  it('is added, with a picture that is chosen', async () => {
    await page.goto('/catalogue');
    await page.getByText('12 products', { exact: true }).waitFor();
    await page.keyboard.press('n');
    await heading('New product').waitFor();
    await page.getByRole('textbox', { name: 'Price' }).fill('a lot');
    await page.getByRole('textbox', { name: 'Title' }).fill('');
    await page.getByRole('textbox', { name: 'Currency' }).fill('eur');
    await button('Save').click();
    await page.getByText('A product needs a title.').waitFor();
    await page.getByText('A price is a number').waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('title');
    await accessible(page);
    await page.getByRole('textbox', { name: 'Title' }).fill('Hand-made scarf');
    await page.getByRole('textbox', { name: 'Price' }).fill('19,9');
    await button('Add a detail').click();
    await page.getByLabel('Name of detail 1').fill('colour');
    await page.getByLabel('Value of detail 1').fill('blue');
    await page.locator('[data-pick=picture]').setInputFiles(PICTURES[11] ?? '');
    await button('Save').click();
    await heading('Hand-made scarf').waitFor();
    await page.getByText('Searchable').waitFor();
    await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/catalogue\/\d+$/);
    const [made] = (await products()).filter((one) => one.title === 'Hand-made scarf');
    expect(made).toMatchObject({ price: '19.90', currency: 'EUR', metadata: { colour: 'blue' } });
    await accessible(page);
    await shoot(page, 'catalogue-product');
  }, 120_000);

  it('is changed; what is not saved is not lost by leaving', async () => {
    await page.getByRole('textbox', { name: 'Title' }).fill('Hand-made wool scarf');
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor();
    await accessible(page);
    await button('Stay').click();
    await page.keyboard.press('Control+s');
    await heading('Hand-made wool scarf').waitFor();
    await page.getByRole('textbox', { name: 'Product id' }).fill('SKU-1');
    await button('Save').click();
    await page.getByRole('alert').waitFor(); // it is another's
    await accessible(page);
    await button('Discard').click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Overview' }).click();
    await heading('Overview').waitFor();
    await page.goBack();
    await heading('Hand-made wool scarf').waitFor();
  });

  it('gets its picture from an address', async () => {
    const [bare] = (await products()).filter((one) => one.external_id === 'SKU-11');
    await page.goto(`/catalogue/${bare?.id ?? 0}`);
    await page.getByText('No picture yet').waitFor();
    await page
      .getByRole('textbox', { name: 'Address of the picture' })
      .fill(`${shopUrl}/${basename(PICTURES[7] ?? '')}`);
    await button('Save').click();
    await page.getByText('Searchable').waitFor();
    await page.getByRole('button', { name: /^Look at the picture/ }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }, 120_000);

  it('is removed, and that is taken back', async () => {
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('12 products', { exact: true }).waitFor();
    await button('Undo').click();
    await page.getByText('13 products', { exact: true }).waitFor();
    await cards()
      .nth(0)
      .click({ modifiers: ['Control'] });
    await cards()
      .nth(2)
      .click({ modifiers: ['Shift'] });
    await page.getByText('3 chosen').waitFor();
    await accessible(page);
    await page.getByRole('toolbar').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('10 products', { exact: true }).waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: '3 products removed' })
      .getByRole('button', { name: 'Close' })
      .click();
    await expect.poll(async () => (await products()).length).toBe(10);
    await page.getByText('10 products', { exact: true }).waitFor();
  }, 120_000);

  it('is indexed anew with all others, as a job', async () => {
    await button('More tasks').click();
    await page.getByRole('menuitem', { name: 'Index all products anew' }).click();
    await page.getByText(/pictures? (is|are) indexed/).waitFor({ timeout: 60_000 });
    await page.getByRole('region', { name: 'Pictures are fetched' }).waitFor({ state: 'detached' });
  }, 120_000);
});

describe('more of the shop', () => {
  it('comes as JSON lines, and its progress outlives a reload', async () => {
    await page.goto('/catalogue/import');
    const text = [12, 13]
      .map((i) =>
        JSON.stringify({
          sku: `SKU-${i}`,
          title: `Late article ${i}`,
          category: 'late, but here',
          image_url: `${shopUrl}/slow/${basename(PICTURES[i - 10] ?? '')}`,
          attributes: { season: i },
        }),
      )
      .join('\n');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button('Choose a file').click()]);
    await chooser.setFiles({ name: 'late.jsonl', mimeType: '', buffer: Buffer.from(text) });
    await page.getByText('JSON lines').waitFor();
    await button('Import').click();
    const task = page.getByRole('region', { name: 'Pictures are fetched' });
    await task.waitFor();
    await accessible(page);
    await page.getByRole('link', { name: 'To the products' }).click();
    await page.getByText('12 products', { exact: true }).waitFor();
    await page.reload();
    await task.waitFor();
    await page.getByText('Picture on its way').first().waitFor();
    await accessible(page);
    await shoot(page, 'catalogue-task');
    letGo();
    await page.getByText('2 pictures are indexed.').waitFor({ timeout: 60_000 });
    await task.waitFor({ state: 'detached' });
    await expect.poll(() => page.getByText('Picture on its way').count()).toBe(0);
    const [late] = (await products()).filter((one) => one.external_id === 'SKU-12');
    expect(late?.metadata).toEqual({ season: 12 });
  }, 180_000);

  it('has a category with a comma, which is chosen as any other', async () => {
    await set(page.getByRole('checkbox', { name: /^late, but here/ }), true);
    await page.getByText('2 products', { exact: true }).waitFor();
    await page.getByRole('searchbox', { name: /^Words/ }).fill('article');
    await page.keyboard.press('Enter');
    await expect.poll(() => hits().count()).toBe(2);
    await button('Remove Category: late, but here').click();
    await expect.poll(() => hits().count()).toBeGreaterThan(5);
    await page.getByRole('searchbox', { name: /^Words/ }).fill('');
    await page.getByText('12 products', { exact: true }).waitFor();
  });

  it('comes back when the service will not remove it', async () => {
    await set(page.getByRole('radio', { name: 'Table' }), true);
    await set(page.getByRole('checkbox', { name: 'Choose Late article 12' }), true);
    await page.route('**/products/*', (route) =>
      route.request().method() === 'DELETE'
        ? route.fulfill({ status: 409, json: { title: 'Conflict', detail: 'somebody is at it' } })
        : route.fallback(),
    );
    await page.getByRole('toolbar').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('11 products', { exact: true }).waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: '1 product removed' })
      .getByRole('button', { name: 'Close' })
      .click();
    await page.getByRole('alert').filter({ hasText: 'Somebody is at it.' }).waitFor();
    await page.getByText('12 products', { exact: true }).waitFor();
    await page.unroute('**/products/*');
    await set(page.getByRole('checkbox', { name: 'Choose all that are loaded' }), true);
    await page.getByText('12 chosen').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('12 chosen').waitFor({ state: 'detached' });
    await page.getByRole('main').focus();
    await page.keyboard.press('v');
    await cards().first().waitFor();
  });

  it('takes a picture that is pasted', async () => {
    await cards().first().click();
    await page.waitForURL(/catalogue\/\d+$/);
    await page.getByText('Searchable', { exact: true }).first().waitFor();
    const before = await page.locator('[data-drop] img').getAttribute('src');
    const bytes = readFileSync(PICTURES[0] ?? '').toString('base64');
    await page.evaluate((text) => {
      const transfer = new DataTransfer();
      const data = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      transfer.items.add(new File([data], 'pasted.jpg', { type: 'image/jpeg' }));
      document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, cancelable: true }));
    }, bytes);
    const number = (src: string | null) => /images\/(\d+)/.exec(src ?? '')?.[1];
    await expect
      .poll(async () => number(await page.locator('[data-drop] img').getAttribute('src')))
      .not.toBe(number(before));
    await page.goto('/catalogue');
    await page.getByText('12 products', { exact: true }).waitFor();
  });
});

describe('the report', () => {
  it('tells what is searched for', async () => {
    await page.getByRole('link', { name: 'Searches' }).click();
    await heading('Searches').waitFor();
    await page
      .getByRole('region', { name: 'Searched for most' })
      .getByRole('link', { name: 'leather bag' })
      .waitFor();
    await page
      .getByRole('region', { name: 'Searched for in vain' })
      .getByRole('link', { name: 'gramophone' })
      .waitFor();
    await page.getByText('By a picture').first().waitFor();
    await page.getByRole('region', { name: 'All searches' }).getByText('root').first().waitFor();
    await accessible(page);
    await shoot(page, 'catalogue-report');
    await set(page.getByRole('radio', { name: '7 days' }), true);
    await expect.poll(() => parameter('days')).toBe('7');
    await page.getByLabel('To', { exact: true }).fill('2020-01-31');
    await page.getByText('Nobody searched in this time').waitFor();
    await accessible(page);
    await set(page.getByRole('radio', { name: '30 days' }), true);
    await page.getByRole('region', { name: 'Searched for most' }).getByRole('link').first().click();
    await expect.poll(() => parameter('q')).toBe('leather bag');
    await hits().first().waitFor();
  });
});

describe('a guest', () => {
  it('looks and searches, and is offered nothing else', async () => {
    const { id } = await ask<{ id: number }>(service, token, '/api/users', {
      username: 'visitor',
      password: PASSWORD,
      role: 'guest',
    });
    const { projects } = await ask<{ projects: { id: number }[] }>(service, token, '/api/projects');
    for (const project of projects) {
      const answer = await fetch(`${service.url}/api/projects/${project.id}/members`, {
        method: 'PUT',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ user_id: id, role: 'viewer' }),
      });
      expect(answer.ok).toBe(true);
    }
    const other = await browser.newContext({
      baseURL: service.url,
      viewport: DESKTOP,
      reducedMotion: 'reduce',
    });
    await watch.follow(other);
    page = await other.newPage();
    await page.goto('/login?return=/catalogue');
    await page.getByLabel('User name').fill('visitor');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await button('Sign in').click();
    await page.getByText('12 products', { exact: true }).waitFor();
    for (const name of ['Add a product', 'Import', 'More tasks'])
      await expect.poll(() => button(name).count()).toBe(0);
    await expect.poll(() => page.getByRole('link', { name: 'Searches' }).count()).toBe(0);
    await accessible(page);
    await cards().first().click();
    await page.getByRole('link', { name: 'Similar products' }).waitFor();
    for (const name of ['Remove', 'Save', 'Choose a picture'])
      await expect.poll(() => button(name).count()).toBe(0);
    await expect.poll(() => page.getByRole('textbox').count()).toBe(0);
    await accessible(page);
    await page.goto('/catalogue/searches');
    await page.getByText('Your account may not see this page').waitFor();
    await page.goto('/catalogue/import');
    await page.getByText('Your account may not see this page').waitFor();
    await page.goto('/catalogue?q=leather');
    await hits().first().waitFor();
    await other.close();
  }, 120_000);
});
