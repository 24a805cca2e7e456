/* Every word that people see, by key. One file per language; English is the measure, and the one that is loaded
 * first. Another language is fetched before the first page is drawn, and then stays for as long as the page lives. */
import { en } from './en';

type Leaf = string | { readonly one: string; readonly other: string };
interface Tree {
  readonly [key: string]: Leaf | Tree;
}

/** The same keys, any words. */
export type Words<T = typeof en> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends { one: string; other: string }
      ? { readonly one: string; readonly other: string }
      : Words<T[K]>;
};

type Keys<T, P extends string = ''> = {
  [K in keyof T & string]: T[K] extends Leaf ? `${P}${K}` : Keys<T[K], `${P}${K}.`>;
}[keyof T & string];
export type TextKey = Keys<typeof en>;

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;
const STORED = 'magpie.language';

let words: Words = en;
let language: Language = 'en';

export function currentLanguage(): Language {
  return language;
}

function isLanguage(name: string | null | undefined): name is Language {
  return name !== null && name !== undefined && Object.hasOwn(LANGUAGES, name);
}

/** The one that was chosen, else the first of the browser's that is here. */
export async function loadLanguage(): Promise<void> {
  const stored = localStorage.getItem(STORED);
  const asked = isLanguage(stored)
    ? stored
    : navigator.languages.map((name) => name.slice(0, 2)).find((name) => isLanguage(name));
  if (asked === 'de') words = (await import('./de')).de;
  language = isLanguage(asked) ? asked : 'en';
  document.documentElement.lang = language;
}

/** Takes effect with the next load of the page: every text on it would have to change. */
export function chooseLanguage(name: Language): void {
  localStorage.setItem(STORED, name);
  location.reload();
}

function find(key: string): Leaf {
  let at: Leaf | Tree | undefined = words;
  for (const part of key.split('.')) at = (at as Tree | undefined)?.[part];
  return (at as Leaf | undefined) ?? key;
}

export type Vars = Record<string, string | number>;

/** The text of a key, with {name}s replaced; where it has two forms, the one for `n`. */
export function t(key: TextKey, vars: Vars = {}): string {
  const leaf = find(key);
  const form =
    typeof leaf === 'string'
      ? leaf
      : new Intl.PluralRules(language).select(Number(vars['n'] ?? 0)) === 'one'
        ? leaf.one
        : leaf.other;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = vars[name];
    return value === undefined ? whole : typeof value === 'number' ? number(value) : value;
  });
}

export function number(value: number, options?: Intl.NumberFormatOptions): string {
  // Never "-0.00".
  return new Intl.NumberFormat(language, { signDisplay: 'negative', ...options }).format(value);
}

/** 12 kB, 3.4 GB: by thousands, as systems show sizes. */
export function bytes(value: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const step = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return number(value / 1000 ** step, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: step ? 'short' : 'long',
    maximumFractionDigits: step > 1 ? 1 : 0,
  });
}

export function date(value: string | number | Date, options: Intl.DateTimeFormatOptions = {}): string {
  const wanted = Object.keys(options).length
    ? options
    : ({ dateStyle: 'medium', timeStyle: 'short' } as const);
  return new Intl.DateTimeFormat(language, wanted).format(new Date(value));
}

/** "3 minutes ago". */
export function ago(value: string | number | Date, now = Date.now()): string {
  const seconds = (new Date(value).getTime() - now) / 1000;
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [60, 'second'],
    [3600, 'minute'],
    [86400, 'hour'],
    [86400 * 30, 'day'],
    [86400 * 365, 'month'],
    [Infinity, 'year'],
  ];
  let size = 1;
  for (const [limit, unit] of steps) {
    if (Math.abs(seconds) < limit)
      return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(
        Math.round(seconds / size),
        unit,
      );
    size = limit;
  }
  return '';
}
