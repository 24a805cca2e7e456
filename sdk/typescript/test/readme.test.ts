/* The examples of README.md as one program: compiled strictly, and run against the service. */
import { copyFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { url } from './service.js';

// Beside the tests, where the compiler finds the types of Node.
const program = path.resolve('test/.readme.ts');

beforeAll(async () => {
  const readme = await readFile('README.md', 'utf8');
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((m) => m[1] ?? '');
  expect(blocks.length).toBeGreaterThan(5);
  const text = blocks
    .join('\n')
    .replaceAll("'@magpie/client'", "'../src/index.js'")
    .replaceAll('http://127.0.0.1:8080', url);
  await writeFile(program, text);
});

afterAll(async () => {
  await rm(program, { force: true });
});

describe('the examples', () => {
  it('compile', () => {
    const { config } = ts.readConfigFile('tsconfig.json', (name) => ts.sys.readFile(name)) as {
      config: object;
    };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
    // The one callback that is there to be filled in.
    const made = ts.createProgram([program], { ...options, noUnusedParameters: false });
    const wrong = ts.getPreEmitDiagnostics(made);
    expect(wrong.map((d) => ts.flattenDiagnosticMessageText(d.messageText, ' '))).toEqual([]);
  });

  it.skipIf(!url)('run', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'readme-'));
    const pictures = process.env.MAGPIE_PICTURES ?? '';
    const [picture = ''] = (await readdir(pictures)).sort();
    await copyFile(path.join(pictures, picture), path.join(folder, 'lighthouse.jpg'));
    const said: string[] = [];
    const log = vi
      .spyOn(console, 'log')
      .mockImplementation((...words: unknown[]) => void said.push(words.join(' ')));
    const before = process.cwd();
    try {
      process.chdir(folder);
      await import(/* @vite-ignore */ program);
    } finally {
      process.chdir(before);
      log.mockRestore();
      await rm(folder, { recursive: true });
    }
    const text = said.join('\n');
    for (const part of ['signed in as ada', '1 new, 0 known, 0 refused', 'known', 'lighthouse.jpg', '404 '])
      expect(text).toContain(part);
    expect(text).toMatch(/completed: /);
    expect(text).toMatch(/image\.added \d+/);
    expect(text).toMatch(/\/api\/exports\/\d+\/content\?/);
  });
});
