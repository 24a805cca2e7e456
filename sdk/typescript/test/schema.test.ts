import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

it('src/schema.d.ts is what api/openapi.yaml says; else: npm run generate', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'schema-'));
  const made = path.join(folder, 'schema.d.ts');
  try {
    const args = ['node_modules/openapi-typescript/bin/cli.js', '../../api/openapi.yaml', '-o', made];
    execFileSync(process.execPath, args, { stdio: 'pipe' });
    expect(readFileSync('src/schema.d.ts', 'utf8') === readFileSync(made, 'utf8')).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
