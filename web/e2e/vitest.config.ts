import { defineConfig } from 'vitest/config';

/* Drives the built app in Chromium against the real binary. One file after the other: each has a service and a
 * browser of its own. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 20_000 } },
    bail: process.env['BAIL'] ? 1 : 0,
  },
});
