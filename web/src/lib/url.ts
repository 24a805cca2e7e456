/* What a page keeps in its address, so that a link or a reload brings back what was seen. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type UrlState = Record<string, string | undefined>;

/** Parameters, and a way to change some of them; undefined takes one away. Small steps (`replace`) make no entry in
 * the history. */
export function useUrl(): [UrlState, (patch: UrlState, replace?: boolean) => void] {
  const state: UrlState = useSearch({ strict: false });
  const navigate = useNavigate();
  const set = useCallback(
    (patch: UrlState, replace = false) =>
      void navigate({ to: '.', search: (old: UrlState) => ({ ...old, ...patch }), replace }),
    [navigate],
  );
  return [state, set];
}

/** A path of this app, out of an address that anybody may have made. */
export function safeReturn(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])/.test(path) && !/^\/(login|register|setup)/.test(path)
    ? path
    : '/';
}
