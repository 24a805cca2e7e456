/* A product while it is being written: all of it text, held against the limits of the service, and what of it changed. */
import type { Product } from '@/pages/catalogue/products';
import type { TextKey } from '@/text';

export const TEXTS = [
  'title',
  'external_id',
  'category',
  'price',
  'currency',
  'description',
  'image_url',
] as const;
export type TextName = (typeof TEXTS)[number];

/** A member of the metadata. What it was stays what it was - a number, a list - until somebody writes over it. */
export interface Detail {
  key: number;
  name: string;
  value: string;
  was?: unknown;
}

export type Draft = Record<TextName, string> & { details: Detail[] };

let keys = 0;
export function newDetail(name = '', value = ''): Detail {
  return { key: ++keys, name, value };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function draftOf(product: Product | null): Draft {
  return {
    title: product?.title ?? '',
    external_id: product?.external_id ?? '',
    category: product?.category ?? '',
    price: product?.price ?? '',
    currency: product?.currency ?? '',
    description: product?.description ?? '',
    image_url: product?.image_url ?? '',
    details: Object.entries(product?.metadata ?? {}).map(([name, value]) => ({
      ...newDetail(name, shown(value)),
      was: value,
    })),
  };
}

function valueOf({ value, was }: Detail): unknown {
  if (was === undefined || typeof was === 'string') return value;
  if (shown(was) === value) return was;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

export function metadataOf(draft: Draft): Record<string, unknown> {
  return Object.fromEntries(
    draft.details.filter(({ name }) => name.trim() !== '').map((one) => [one.name.trim(), valueOf(one)]),
  );
}

export type Problems = Partial<Record<TextName | 'details', TextKey>>;

const bytes = (text: string) => new TextEncoder().encode(text).length;
const MOST: Partial<Record<TextName, number>> = {
  title: 512,
  external_id: 255,
  category: 255,
  description: 65_536,
  image_url: 2048,
};

/** "12,5" and "12.5". */
export function plainPrice(text: string): string {
  return text.trim().replace(',', '.');
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

export function problemsOf(draft: Draft, isNew: boolean): Problems {
  const found: Problems = {};
  for (const name of TEXTS)
    if (bytes(draft[name]) > (MOST[name] ?? Infinity)) found[name] = 'catalogue.wrong.long';
  if (draft.title.trim() === '') found.title = 'catalogue.wrong.title';
  if (!isNew && draft.external_id.trim() === '') found.external_id = 'catalogue.wrong.external_id';
  const price = plainPrice(draft.price);
  if (price !== '' && !/^[0-9]{1,9}(\.[0-9]{1,4})?$/.test(price)) found.price = 'catalogue.wrong.price';
  if (!/^([A-Z]{3})?$/.test(draft.currency)) found.currency = 'catalogue.wrong.currency';
  const url = draft.image_url.trim();
  if (url !== '' && !isAddress(url)) found.image_url = 'catalogue.wrong.image_url';
  const names = draft.details.map(({ name }) => name.trim());
  if (draft.details.some(({ name, value }) => name.trim() === '' && value !== ''))
    found.details = 'catalogue.wrong.noName';
  else if (new Set(names.filter(Boolean)).size < names.filter(Boolean).length)
    found.details = 'catalogue.wrong.twice';
  return found;
}

type Body = Partial<Record<TextName, string | null>> & { metadata?: Record<string, unknown> };

function textOf(draft: Draft, name: TextName): string {
  return name === 'price'
    ? plainPrice(draft.price)
    : name === 'description'
      ? draft.description
      : draft[name].trim();
}

/** What is to be said to the service: what differs from before. */
export function changesOf(draft: Draft, before: Draft): Body {
  const body: Body = {};
  for (const name of TEXTS) {
    const now = textOf(draft, name);
    if (now !== textOf(before, name)) body[name] = name === 'price' && now === '' ? null : now;
  }
  const metadata = metadataOf(draft);
  if (JSON.stringify(metadata) !== JSON.stringify(metadataOf(before))) body.metadata = metadata;
  return body;
}

export function isChanged(draft: Draft, before: Draft): boolean {
  return Object.keys(changesOf(draft, before)).length > 0;
}
