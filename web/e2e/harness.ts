/* A service on an empty library, a browser in front of it, and what both must never say. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';

const web = join(import.meta.dirname, '..');
export const root = join(web, '..');
const BINARY = process.env['MAGPIE'] ?? join(root, 'build/release/src/app/magpie');
const MODELS = process.env['MAGPIE_MODELS'] ?? join(root, '.models');
const DIST = process.env['MAGPIE_WEB'] ?? join(web, 'dist');
export const SHOTS = join(web, 'screenshots');
export const PASSWORD = 'correct horse battery';

export interface Service {
  url: string;
  setupToken: string;
  folder: string;
  stop: () => Promise<void>;
}

function run(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(BINARY, args, { env, stdio: 'ignore' });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`magpie ${args.join(' ')}: ${code}`)),
    );
  });
}

/** With the model that knows words where it is installed. */
export async function startService(options: string[] = [], port = 0, kept?: string): Promise<Service> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'magpie-web-'));
  const env = {
    ...process.env,
    MAGPIE_LIBRARY: join(folder, 'library'),
    MAGPIE_MODELS: MODELS,
    MAGPIE_DECODER: BINARY,
    MAGPIE_WEB: DIST,
    HOME: folder,
    NO_COLOR: '1',
  };
  const model = existsSync(join(MODELS, 'lite/manifest.json')) ? 'lite' : 'builtin';
  if (!kept) await run(['init', '--model', model], env);
  const child = spawn(BINARY, ['serve', '--port', String(port), '--json', ...options], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = await firstLine(child);
  const ready = JSON.parse(line) as { port: number; setup_token: string };
  return {
    url: `http://127.0.0.1:${ready.port}`,
    setupToken: ready.setup_token,
    folder,
    stop: () =>
      new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

export function forget(service: Service): void {
  rmSync(service.folder, { recursive: true, force: true });
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (!child.stdout) throw new Error('no stdout');
    createInterface(child.stdout).once('line', resolve);
    child.on('exit', (code) => reject(new Error(`magpie serve ended: ${code}`)));
    child.on('error', reject);
  });
}

/** Pictures of samples/, as paths. */
export function samples(n: number): string[] {
  const folder = join(root, 'samples');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .slice(0, n)
    .map((name) => join(folder, name));
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--lang=en-US'],
  });
}

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** What a page may shift by itself, as Lighthouse counts it: the share of the window that moves, times how far. */
const MOST_SHIFT = 0.05;

interface Shift {
  /** Of one load of a page. */
  load: string;
  value: number;
  what: string;
}

/** What went wrong in the pages of a context: errors, refused scripts and styles, answers of 500 and above, and
 * what moved without anybody having touched it. */
export class Watch {
  readonly found: string[] = [];
  private readonly shifts: Shift[] = [];
  /** Messages that a test expects, such as Chromium's own line for an answer of 401. */
  allowed: RegExp[] = [/Failed to load resource/];

  async follow(context: BrowserContext): Promise<void> {
    context.setDefaultTimeout(20_000);
    await context.exposeFunction('magpieViolation', (text: string) => this.found.push(`policy: ${text}`));
    await context.exposeFunction('magpieShifted', (shift: Shift) => this.shifts.push(shift));
    await context.addInitScript(() => {
      interface Moved extends PerformanceEntry {
        value: number;
        hadRecentInput: boolean;
        sources: { node: Node | null }[];
      }
      // Of a page that is opened, until somebody does something there.
      let touched = { path: '', at: 0 };
      const touch = () => {
        touched = { path: location.pathname, at: performance.now() };
      };
      for (const type of ['pointerdown', 'keydown', 'wheel', 'change', 'drop', 'paste'])
        addEventListener(type, touch, { capture: true, passive: true });
      new PerformanceObserver((list) => {
        const tell = (window as unknown as { magpieShifted: (shift: object) => void }).magpieShifted;
        const path = location.pathname;
        for (const { value, startTime, hadRecentInput, sources } of list.getEntries() as Moved[]) {
          const what = sources
            .map(({ node }) => (node as Partial<Element> | null)?.outerHTML?.slice(0, 100) ?? '')
            .join(' ');
          const untouched = touched.path !== path && startTime > touched.at;
          if (!hadRecentInput && untouched) tell({ load: `${path} ${performance.timeOrigin}`, value, what });
        }
      }).observe({ type: 'layout-shift', buffered: true });
      addEventListener('securitypolicyviolation', (event) => {
        const tell = (window as unknown as { magpieViolation: (text: string) => void }).magpieViolation;
        tell(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
      });
    });
    context.on('page', (page) => {
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') this.found.push(message.text());
      });
      page.on('pageerror', (error) => this.found.push(`exception: ${error.stack ?? error.message}`));
      page.on('response', (answer) => {
        if (answer.status() >= 500) this.found.push(`${answer.status()} ${answer.url()}`);
      });
      page.on('dialog', (dialog) => {
        this.found.push(`a dialog: ${dialog.message()}`); // what injected script would open
        void dialog.dismiss();
      });
    });
  }

  private shifted(): string[] {
    const sums = new Map<string, { value: number; what: string }>();
    for (const { load, value, what } of this.shifts.splice(0)) {
      const sum = sums.get(load) ?? { value: 0, what: '' };
      sums.set(load, { value: sum.value + value, what: `${sum.what}\n${value.toFixed(4)} ${what}` });
    }
    return [...sums]
      .filter(([, { value }]) => value > MOST_SHIFT)
      .map(([load, { value, what }]) => `${load} shifts by ${value.toFixed(3)}:${what}`);
  }

  check(): void {
    const bad = this.found.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
    this.found.length = 0;
    bad.push(...this.shifted());
    expect(bad).toEqual([]);
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** Nothing that axe knows of, in either theme. */
export async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  for (const theme of ['light', 'dark'] as const) {
    await setTheme(page, theme);
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
      return (await axe.run()).violations;
    });
    const lines = found.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${theme} ${id}: ${help} at ${node.target.join(' ')}\n${node.failureSummary}`),
    );
    expect(lines).toEqual([]);
  }
}

export async function setTheme(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.evaluate((name) => {
    localStorage.setItem('magpie.theme', name);
    (window as unknown as { magpieTheme: () => void }).magpieTheme();
  }, theme);
  await page.waitForTimeout(200); // colours change over 120 ms
}

/** A box or a radio button. What it stands for may be in the address, so that it follows its click a moment later. */
export async function set(box: Locator, on: boolean): Promise<void> {
  if ((await box.isChecked()) !== on) await box.click();
  await expect.poll(() => box.isChecked()).toBe(on);
}

/** A page in both themes, on a desk and on a phone. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  for (const [size, viewport] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const) {
    await page.setViewportSize(viewport);
    await page.waitForTimeout(400);
    for (const theme of ['light', 'dark'] as const) {
      await setTheme(page, theme);
      await page.screenshot({ path: join(SHOTS, `${name}-${size}-${theme}.png`) });
    }
  }
  await page.setViewportSize(DESKTOP);
}
