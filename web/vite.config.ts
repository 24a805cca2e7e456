import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: {
      '@': here('./src'),
      // Its source: what is served is built from one tree, and a clean clone needs one `npm ci`.
      '@magpie/client': here('../sdk/typescript/src/index.ts'),
      'openapi-fetch': here('./node_modules/openapi-fetch'),
    },
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the policy lets no data URL but pictures in
    modulePreload: { polyfill: false },
    manifest: '.vite/manifest.json',
  },
  server: {
    port: 5173,
    fs: { allow: ['..'] },
    proxy: Object.fromEntries(
      ['/api', '/products', '/search/', '/health', '/docs'].map((path) => [
        path,
        process.env['MAGPIE_URL'] ?? 'http://127.0.0.1:8080',
      ]),
    ),
  },
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: ['test/setup.ts'],
    pool: 'threads',
    maxWorkers: 2,
  },
});
