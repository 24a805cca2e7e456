/* What went wrong, in words for a person: what it is, and what to do next. */
import { MagpieError } from '@magpie/client';
import { t, type TextKey } from '@/text';

export interface Trouble {
  what: string;
  next: string;
  /** To be found in the service's log; empty where there is none. */
  requestId: string;
}

const NEXT: Record<number, TextKey> = {
  400: 'error.next.input',
  401: 'error.next.signIn',
  403: 'error.next.forbidden',
  404: 'error.next.missing',
  409: 'error.next.conflict',
  410: 'error.next.missing',
  413: 'error.next.tooBig',
  415: 'error.next.type',
  422: 'error.next.input',
  429: 'error.next.slow',
  503: 'error.next.slow',
  507: 'error.next.full',
};

export function describe(error: unknown): Trouble {
  if (!(error instanceof MagpieError))
    return { what: t('error.title'), next: t('error.next.network'), requestId: '' };
  const detail = error.detail.charAt(0).toUpperCase() + error.detail.slice(1);
  return {
    what: /[.!?]$/.test(detail) ? detail : `${detail}.`,
    next: t(NEXT[error.status] ?? 'error.next.bug'),
    requestId: error.requestId,
  };
}
