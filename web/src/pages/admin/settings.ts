import type { components } from '@magpie/client';

export type Setting = components['schemas']['Setting'];
export const ORIGINS = ['option', 'environment', 'file', 'default'] as const;

export function valueOf(setting: Pick<Setting, 'value'>): string {
  const { value } = setting;
  return value === null ? '' : Array.isArray(value) ? value.join(', ') : value;
}

/** Every word of the question is somewhere in the row. */
export function matches(setting: Setting, question: string): boolean {
  const text = `${setting.name} ${setting.help} ${valueOf(setting)} ${setting.environment}`.toLowerCase();
  return question
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
