/* What the first page costs: everything that index.html loads before a page can be shown, gzipped. Over the
 * budget, the build fails. */
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 250_000;
const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'));
const entry = Object.values(manifest).find((chunk) => chunk.isEntry);

const seen = new Set();
function collect(chunk) {
  if (seen.has(chunk.file)) return;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const name of chunk.imports ?? []) collect(manifest[name]);
}
collect(entry);
// The page that the address "/" opens, and the frame around it.
for (const [name, chunk] of Object.entries(manifest))
  if (/^src\/(pages\/dashboard\/|app\/(App|Shell|session|worker))/.test(name)) collect(chunk);

const size = (name) => {
  const zipped = `${dist}${name}.gz`;
  return existsSync(zipped) ? readFileSync(zipped).length : gzipSync(readFileSync(`${dist}${name}`)).length;
};
const total = ['index.html', 'theme.js', ...seen].reduce((sum, name) => sum + size(name), 0);
console.log(`first load: ${(total / 1000).toFixed(1)} kB gzip of ${BUDGET / 1000} (${seen.size} files)`);
if (total > BUDGET) {
  console.error('over the budget: load what is not needed at once when its page is opened');
  process.exit(1);
}
