/* What a page is to the frame. Each folder of src/pages has a page.ts that exports one as `page`; that is all the
 * frame knows of it, so that pages can be added without touching anything else. */
import type { LucideIcon } from 'lucide-react';
import type { ComponentType } from 'react';
import type { TextKey } from '@/text';
import type { User } from './session';

export interface PageSpec {
  /** As the router has it: '/library', '/images/$id'. Not /api, /docs, /embed, /health, /metrics, nor a GET of the
   * interface such as /products: those are the service's. */
  path: string;
  /** Its module, fetched when the page is opened; the default export is the component. */
  load: () => Promise<{ default: ComponentType }>;
  /** 'plain' pages stand alone and are open to everybody; the others have the frame around them and need a user. */
  frame?: 'plain';
  title: TextKey;
  /** In the menu: by rising order; `key` behind g leads there. */
  nav?: {
    icon: LucideIcon;
    order: number;
    key: string;
    /** One of the four in the bar of phones; the others are in its sheet. */
    bar?: true;
  };
  /** Not in the menu, but among the commands, with this sign. */
  palette?: LucideIcon;
  /** Whether to offer it. The service decides by itself. */
  may?: (user: User) => boolean;
}

const found = import.meta.glob<PageSpec>('../pages/*/page.ts', { eager: true, import: 'page' });
export const pages: readonly PageSpec[] = Object.values(found);
export const menu = pages
  .filter((page) => page.nav !== undefined)
  .sort((a, b) => (a.nav?.order ?? 0) - (b.nav?.order ?? 0));

export function menuOf(user: User | null): PageSpec[] {
  return menu.filter((page) => user !== null && (page.may?.(user) ?? true));
}

/** Those that the commands offer besides the menu. */
export function othersOf(user: User | null): PageSpec[] {
  return pages.filter((page) => page.palette !== undefined && user !== null && (page.may?.(user) ?? true));
}
