/* The service worker: the app's own files, so that it opens without a network, and the thumbnails that were seen.
 *
 * The shell is kept by version; a new one waits until the page says so ("update ready"). Pages and thumbnails ask
 * the network first, so that nothing is older than it has to be. Answers of the interface are never kept. */
const VERSION = '__VERSION__';
const FILES = '__SHELL__'; // a list, once tools/precompress.mjs has been here
const SHELL = `shell-${VERSION}`;
const THUMBS = 'thumbnails';
const MOST_THUMBS = 3000;
const THUMB = /^\/api\/images\/\d+\/thumbnail$/;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith('shell-') && name !== SHELL))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('message', (event) => {
  if (event.data === 'update') self.skipWaiting();
  if (event.data === 'forget') event.waitUntil(caches.delete(THUMBS)); // somebody signed out
});

async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match('/', { cacheName: SHELL });
    if (kept) return kept;
    throw error;
  }
}

async function file(request) {
  return (await caches.match(request, { cacheName: SHELL })) ?? fetch(request);
}

// Links to thumbnails carry a signature that changes each hour; the picture is the same.
async function thumbnail(request, url) {
  const cache = await caches.open(THUMBS);
  const size = url.searchParams.get('size') ?? '256';
  const key = `${url.origin}${url.pathname}?size=${size}`;
  try {
    const answer = await fetch(request);
    if (answer.ok) cache.put(key, answer.clone()).then(() => trim(cache));
    return answer;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw error;
  }
}

let puts = 0;
async function trim(cache) {
  if (++puts % 200 !== 0) return;
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_THUMBS)).map((key) => cache.delete(key)));
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (!/^\/(api|docs)(\/|$)/.test(url.pathname)) event.respondWith(page(request));
  } else if (THUMB.test(url.pathname)) {
    event.respondWith(thumbnail(request, url));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(file(request));
  }
});
