/* A file of products as it looks from here: its columns, what each of them probably is, its first rows, and the rows
 * that the service refused. The service reads the file anew; it is sent with what the columns are. */
import { delimiterOf, readCsv } from '@/lib/csv';

export const FIELDS = [
  'external_id',
  'title',
  'description',
  'category',
  'price',
  'currency',
  'image_url',
  'metadata',
] as const;
export type FieldName = (typeof FIELDS)[number];
/** `detail`: kept under its own name among the further details; `none`: left out. */
export type Target = FieldName | 'detail' | 'none';
export type Kind = 'csv' | 'jsonl';

export interface Sample {
  kind: Kind;
  columns: string[];
  /** The first ones, by column. */
  rows: string[][];
}

// Letters and digits alone, in small ones: what shops call the columns.
const NAMES: Record<FieldName, readonly string[]> = {
  external_id: [
    'externalid',
    'sku',
    'id',
    'productid',
    'itemid',
    'articleno',
    'articlenumber',
    'article',
    'artikelnummer',
    'artikelnr',
    'artnr',
    'itemnumber',
    'code',
    'handle',
    'ean',
    'gtin',
  ],
  title: [
    'title',
    'name',
    'productname',
    'producttitle',
    'titel',
    'bezeichnung',
    'produktname',
    'artikelname',
  ],
  description: [
    'description',
    'desc',
    'text',
    'body',
    'bodyhtml',
    'longdescription',
    'beschreibung',
    'details',
  ],
  category: [
    'category',
    'categories',
    'producttype',
    'type',
    'department',
    'kategorie',
    'warengruppe',
    'gruppe',
  ],
  price: ['price', 'unitprice', 'saleprice', 'amount', 'preis', 'vkpreis', 'variantprice'],
  currency: ['currency', 'currencycode', 'waehrung', 'wahrung'],
  image_url: [
    'imageurl',
    'image',
    'imagelink',
    'imagesrc',
    'img',
    'imgurl',
    'picture',
    'pictureurl',
    'photo',
    'photourl',
    'bild',
    'bildurl',
    'bildlink',
    'foto',
  ],
  metadata: ['metadata', 'attributes', 'metadaten'],
};

export function plain(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** A field that is called so itself: the service takes it for that. */
export function fieldCalled(column: string): FieldName | undefined {
  return FIELDS.find((field) => field === column.trim().toLowerCase());
}

/** By name, each field once: the name that says it best wins. */
export function guess(columns: readonly string[]): Target[] {
  const targets = columns.map((column): Target => (column.trim() === '' ? 'none' : 'detail'));
  for (const field of FIELDS) {
    const exact = columns.findIndex((column) => fieldCalled(column) === field);
    const names = NAMES[field].map((name) =>
      columns.findIndex(
        (column, i) => plain(column) === name && targets[i] === 'detail' && !fieldCalled(column),
      ),
    );
    const at = exact >= 0 ? exact : (names.find((one) => one >= 0) ?? -1);
    if (at >= 0) targets[at] = field;
  }
  // Called as a field that another column is: it cannot be a detail of that name.
  return targets.map((target, i) => (target === 'detail' && fieldCalled(columns[i] ?? '') ? 'none' : target));
}

/** As the service wants it; what is not said is kept as a detail. */
export function mappingOf(columns: readonly string[], targets: readonly Target[]): Record<string, string> {
  const mapping: Record<string, string> = {};
  columns.forEach((column, i) => {
    const target = targets[i] ?? 'none';
    if (column.trim() !== '' && target !== 'detail') mapping[column.trim()] = target === 'none' ? '' : target;
  });
  return mapping;
}

export type Lack = 'external_id' | 'title' | 'twice';

/** What is wrong with the choice. A CSV has to say which product a row is; of a field there is one column. */
export function lackOf(targets: readonly Target[]): Lack | null {
  const fields = targets.filter((one) => one !== 'detail' && one !== 'none');
  if (new Set(fields).size < fields.length) return 'twice';
  if (!fields.includes('external_id')) return 'external_id';
  return fields.includes('title') ? null : 'title';
}

// ---- reading ----

export interface Text {
  text: string;
  /** How its bytes were read. */
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
}

/** Spreadsheets of some systems still write other letters than UTF-8. `whole` is false for a beginning that may end
 * within a letter. */
export function decode(bytes: Uint8Array, whole: boolean): Text {
  const [a, b] = bytes;
  const wide = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : null;
  if (wide) return { text: new TextDecoder(wide).decode(bytes), encoding: wide };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !whole });
    return { text, encoding: 'utf-8' };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), encoding: 'windows-1252' };
  }
}

export function kindOf(name: string, text: string): Kind {
  return /\.(jsonl|ndjson)$/i.test(name) || /^\uFEFF?\s*\{/.test(text) ? 'jsonl' : 'csv';
}

function shown(value: unknown): string {
  return value === null || value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

function objectOf(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null; // the service says so, with its line
  }
}

const ROWS = 5;
const LOOKED_AT = 100;

function sampleLines(text: string): Sample {
  const objects = text
    .split('\n', LOOKED_AT)
    .map(objectOf)
    .filter((one) => one !== null);
  const columns = [...new Set(objects.flatMap((one) => Object.keys(one)))];
  const rows = objects.slice(0, ROWS).map((one) => columns.map((column) => shown(one[column])));
  return { kind: 'jsonl', columns, rows };
}

function sampleCsv(text: string): Sample {
  const all = readCsv(text, delimiterOf(text));
  const columns = (all.next().value?.cells ?? []).map((one) => one.trim());
  const rows: string[][] = [];
  for (const { cells } of all) {
    rows.push(columns.map((_, i) => cells[i] ?? ''));
    if (rows.length === ROWS) break;
  }
  return { kind: 'csv', columns, rows };
}

export function sampleOf(kind: Kind, text: string): Sample {
  return kind === 'jsonl' ? sampleLines(text) : sampleCsv(text);
}

/** Rows by the line they begin at, as cells of the columns. */
export function rowsAt(kind: Kind, text: string, lines: ReadonlySet<number>): Map<number, string[]> {
  const found = new Map<number, string[]>();
  if (kind === 'jsonl') {
    const { columns } = sampleLines(text);
    text.split('\n').forEach((line, i) => {
      if (!lines.has(i + 1)) return;
      const one = objectOf(line);
      found.set(i + 1, one ? columns.map((column) => shown(one[column])) : [line.trim()]);
    });
    return found;
  }
  for (const { line, cells } of readCsv(text)) if (lines.has(line)) found.set(line, cells);
  return found;
}

/** What a cell of the preview has wrong, by the same rules that the service has. */
export function isWrong(field: FieldName, text: string): boolean {
  const value = text.trim();
  if (field === 'external_id' || field === 'title') return text === '';
  if (field === 'price') return value !== '' && !/^[0-9]{1,9}(\.[0-9]{1,4}0*|,[0-9]{1,2})?$/.test(value);
  if (field === 'currency') return !/^([A-Z]{3})?$/.test(value);
  return field === 'image_url' && value !== '' && !/^https?:\/\//i.test(value);
}
