import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

describe('what is served as it is', () => {
  it('holds nothing inline, which the policy would refuse', () => {
    const page = readFileSync(join(root, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script>/);
    for (const [, source] of page.matchAll(/(?:src|href)="([^"]+)"/g)) expect(source).toMatch(/^\/[^/]/);
  });

  it('loads nothing from elsewhere', () => {
    for (const name of readdirSync(join(root, 'public')))
      expect(
        readFileSync(join(root, 'public', name), 'utf8').replace('http://www.w3.org/2000/svg', ''),
      ).not.toMatch(/https?:\/\//);
  });
});
