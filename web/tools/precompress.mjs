/* After the build: the service worker learns the names of the shell's files, and everything that is text gets a
 * .gz and a .br beside it, where that is smaller. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url).pathname;
const TEXT = /\.(html|js|css|svg|json|webmanifest|txt)$/;

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

/* A page that is heavy and of no use without a network is fetched when it is opened, not with the shell. */
const HEAVY = ['src/pages/explore/Explore.tsx'];
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'));

function reached(names, but = []) {
  const seen = new Set();
  const visit = (name) => {
    const chunk = manifest[name];
    if (!chunk || seen.has(chunk.file) || but.includes(name)) return;
    seen.add(chunk.file);
    for (const file of chunk.css ?? []) seen.add(file);
    for (const next of [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]) visit(next);
  };
  names.forEach(visit);
  return seen;
}
const light = reached(['index.html'], HEAVY);
const heavy = new Set([...reached(HEAVY)].filter((file) => !light.has(file)));

const all = files(dist).filter((path) => !/\.(gz|br)$/.test(path) && !path.includes('/.vite/'));
const shell = all
  .filter((path) => !/\/(index\.html|sw\.js)$/.test(path))
  .map((path) => relative(dist, path))
  .filter((path) => !heavy.has(path) && !/\.worker-/.test(path))
  .map((path) => '/' + path)
  .sort();
const version = createHash('sha256')
  .update(readFileSync(join(dist, 'index.html')))
  .update(shell.join())
  .digest('hex')
  .slice(0, 12);
const worker = join(dist, 'sw.js');
writeFileSync(
  worker,
  readFileSync(worker, 'utf8')
    .replace("'__VERSION__'", JSON.stringify(version))
    .replace("'__SHELL__'", JSON.stringify(['/', ...shell])),
);

// Two underscores alone prove nothing: names of files may have them by chance.
if (/'__[A-Z]+__'/.test(readFileSync(worker, 'utf8'))) throw new Error('sw.js: a placeholder is left');

for (const path of all.filter((name) => TEXT.test(name))) {
  const data = readFileSync(path);
  const packed = {
    gz: gzipSync(data, { level: 9 }),
    br: brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  };
  for (const [ending, bytes] of Object.entries(packed)) {
    if (bytes.length < data.length) writeFileSync(`${path}.${ending}`, bytes);
    else rmSync(`${path}.${ending}`, { force: true });
  }
}
console.log(`precompressed ${all.length} files, shell ${version}`);
