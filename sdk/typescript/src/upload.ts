/* What uploads need besides a request: forms, types of files, and progress. */
import type { Attempt, Perform } from './transport.js';

export interface Upload {
  name: string;
  data: Blob;
}

/** `total` is absent when it is not known. Called only where XMLHttpRequest exists: fetch tells nothing of
 * what it has sent. */
export type OnProgress = (sent: number, total: number | undefined) => void;

const TYPES: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  avif: 'image/avif',
  heic: 'image/heic',
};

/** Of a picture, for a presigned link: what it says itself, else by its name. */
export function typeOf({ name, data }: Upload): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return data.type || (TYPES[ending] ?? 'application/octet-stream');
}

export function formOf(files: readonly Upload[], fields: Record<string, string | undefined>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.append(name, value);
  for (const { name, data } of files) form.append('files', data, name);
  return form;
}

/** Undefined, that is fetch, where progress is not asked for or cannot be told. */
export function performer(onProgress: OnProgress | undefined): Perform | undefined {
  if (!onProgress || typeof XMLHttpRequest === 'undefined') return undefined;
  return (attempt) => sendXhr(attempt, onProgress);
}

function sendXhr({ method, url, headers, body, signal }: Attempt, onProgress: OnProgress): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const xhr = new XMLHttpRequest();
    const stop = () => {
      xhr.abort();
    };
    const settle = (act: () => void) => {
      signal?.removeEventListener('abort', stop);
      act();
    };
    xhr.open(method, url);
    xhr.responseType = 'arraybuffer';
    headers.forEach((value, name) => {
      xhr.setRequestHeader(name, value);
    });
    xhr.upload.onprogress = (e) => {
      onProgress(e.loaded, e.lengthComputable ? e.total : undefined);
    };
    xhr.onload = () => {
      settle(() => {
        resolve(responseOf(xhr));
      });
    };
    xhr.onerror = () => {
      settle(() => {
        reject(new TypeError('the upload failed')); // as fetch does
      });
    };
    xhr.onabort = () => {
      settle(() => {
        reject(signal?.reason as Error);
      });
    };
    signal?.addEventListener('abort', stop, { once: true });
    xhr.send(body ?? null);
  });
}

function responseOf(xhr: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of xhr.getAllResponseHeaders().split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  // A Response refuses a body, even an empty one, with these.
  const body = [204, 205, 304].includes(xhr.status) ? null : (xhr.response as ArrayBuffer);
  return new Response(body, { status: xhr.status, statusText: xhr.statusText, headers });
}
