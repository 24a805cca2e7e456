/* Light, dark, or as the system. public/theme.js does the same before the first paint. */
import { store } from '@/lib/store';

export type Theme = 'system' | 'light' | 'dark';
const STORED = 'magpie.theme';

function stored(): Theme {
  const kept = localStorage.getItem(STORED);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export const theme = store<Theme>(stored());

export function chooseTheme(name: Theme): void {
  if (name === 'system') localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, name);
  theme.set(name);
  (window as { magpieTheme?: () => void }).magpieTheme?.();
}
