/* Of which days the report tells: the last so many, or from one day to another, both counted in. */
import type { UrlState } from '@/lib/url';

export const SPANS = [7, 30, 90, 365] as const;
const DAY_S = 24 * 3600;

export interface Period {
  /** Days back from now; null: from a day to a day. */
  span: number | null;
  /** As 2026-01-31, in the time of whoever looks. */
  from: string;
  to: string;
}

function isDay(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00`));
}

export function dayOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function readPeriod(url: UrlState, now: Date): Period {
  const { from, to } = url;
  if (isDay(from) && isDay(to) && from <= to) return { span: null, from, to };
  const span = SPANS.find((one) => String(one) === url['days']) ?? 30;
  return { span, from: dayOf(new Date(now.getTime() - (span - 1) * DAY_S * 1000)), to: dayOf(now) };
}

/** In seconds; `to` is not in it. */
export function secondsOf({ from, to }: Period): { from: number; to: number } {
  const end = new Date(`${to}T00:00`);
  end.setDate(end.getDate() + 1);
  const start = new Date(`${from}T00:00`);
  return { from: Math.max(0, start.getTime() / 1000), to: end.getTime() / 1000 };
}
