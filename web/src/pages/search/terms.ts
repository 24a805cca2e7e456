/* What is searched for: words, pictures of the library, pictures from elsewhere, each with a weight, or as what it
 * should not be. All but pictures from elsewhere stand in the address. */
import type { components } from '@magpie/client';
import { magpie } from '@/app/session';

export type Answer = components['schemas']['SearchAnswer'];
export type Hit = Answer['results'][number];

export interface Term {
  kind: 'text' | 'id' | 'file';
  /** The words, the number, or for a file its own name. */
  value: string;
  weight: number;
  not: boolean;
  file?: File;
  /** To tell files apart. */
  key?: number;
}

/** Three digits are enough; never rounded up, which at the slider's end would leave out the best one, too. */
export function writeThreshold(value: number): string {
  return (Math.floor(value * 1000) / 1000).toFixed(3);
}

export function readThreshold(text: string | undefined): number {
  const value = text ? Number(text) : NaN;
  return Number.isFinite(value) ? value : -Infinity;
}

/** "text:1:storm -id:0.5:12" with the values escaped. */
export function writeTerms(terms: readonly Term[]): string | undefined {
  const kept = terms.filter((term) => term.kind !== 'file');
  const text = kept.map(
    ({ kind, value, weight, not }) => `${not ? '-' : ''}${kind}:${weight}:${encodeURIComponent(value)}`,
  );
  return text.length ? text.join(' ') : undefined;
}

export function readTerms(text: string | undefined): Term[] {
  return (text ?? '').split(' ').flatMap((one): Term[] => {
    const found = /^(-?)(text|id):([\d.]+):(.*)$/.exec(one);
    const weight = Number(found?.[3]);
    if (!found || !(weight > 0 && weight <= 1000)) return [];
    try {
      const value = decodeURIComponent(found[4] ?? '');
      return value ? [{ kind: found[2] as 'text' | 'id', value, weight, not: found[1] === '-' }] : [];
    } catch {
      return []; // an address that somebody cut off
    }
  });
}

async function base64(file: File | undefined): Promise<string> {
  const bytes = new Uint8Array((await file?.arrayBuffer()) ?? []);
  let text = '';
  // Not at once: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

const LIMIT = 60;
/** Below every score: the line of what convinces is drawn here, not cut there. */
const ALL = -100;

export interface Asked {
  words: string;
  terms: readonly Term[];
  projectId: number | undefined;
}

export function isAsked({ words, terms }: Asked): boolean {
  return words.trim() !== '' || terms.some((term) => !term.not);
}

export async function ask({ words, terms, projectId }: Asked, signal: AbortSignal): Promise<Answer> {
  const texts = (not: boolean) =>
    terms
      .filter((term) => term.kind === 'text' && term.not === not)
      .map(({ value, weight }) => ({ text: value, weight }));
  const ids = (not: boolean) =>
    terms
      .filter((term) => term.kind === 'id' && term.not === not)
      .map(({ value, weight }) => ({ id: Number(value), weight }));
  const main = words.trim();
  const query = {
    texts: [...(main ? [{ text: main, weight: 1 }] : []), ...texts(false)],
    ids: ids(false),
    negatives: { texts: texts(true), ids: ids(true) },
    limit: LIMIT,
    threshold: ALL,
    ...(projectId === undefined ? {} : { project_id: projectId }),
  };
  const files = terms.filter((term) => term.file);
  if (files.length === 0) return magpie.json('POST', '/api/search', { body: query, signal });
  // Files of a form have no weights; base64 takes a third more, so only where one is asked for.
  if (files.some(({ weight }) => weight !== 1)) {
    const parts = await Promise.all(
      files.map(async ({ file, weight, not }) => ({ not, data: await base64(file), weight })),
    );
    const images = (not: boolean) =>
      parts.filter((part) => part.not === not).map(({ data, weight }) => ({ data, weight }));
    const negatives = { ...query.negatives, images: images(true) };
    return magpie.json('POST', '/api/search', {
      body: { ...query, images: images(false), negatives },
      signal,
    });
  }
  const form = new FormData();
  form.append('query', JSON.stringify(query));
  for (const { file, not } of files)
    if (file) form.append(not ? 'negative_images' : 'images', file, file.name);
  const { data } = await magpie.api.POST('/api/search', {
    body: form as never,
    bodySerializer: (body: unknown) => body as FormData,
    signal,
  });
  return data as Answer;
}
