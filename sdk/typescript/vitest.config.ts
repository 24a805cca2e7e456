import { defineConfig } from 'vitest/config';

// What needs a running service says so and is skipped without MAGPIE_URL; see README.md.
export default defineConfig({
  test: { include: ['test/*.test.ts'], globalSetup: './test/setup.ts', testTimeout: 120_000 },
});
