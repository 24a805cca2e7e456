import { Check, type LucideIcon } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { cx } from './cx';

const ITEM =
  'flex min-h-9 cursor-pointer items-center gap-2 rounded-md px-2 outline-none select-none data-highlighted:bg-sunken data-disabled:opacity-50 pointer-coarse:min-h-11';

/** Not modal: a modal one would put a style element into the page, which the policy refuses. It stays inside of the
 * landmark that its button is in. */
export function Menu({
  trigger,
  children,
  align = 'end',
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: 'start' | 'end';
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Content
        align={align}
        sideOffset={4}
        collisionPadding={8}
        className="z-50 max-h-[70dvh] min-w-52 overflow-auto rounded-md border border-line bg-surface p-1 shadow-lg"
      >
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

export function MenuItem({
  icon: Icon,
  children,
  onSelect,
  danger,
}: {
  icon?: LucideIcon;
  children: ReactNode;
  onSelect: () => void;
  danger?: boolean;
}) {
  return (
    <DropdownMenu.Item onSelect={onSelect} className={cx(ITEM, danger && 'text-danger')}>
      {Icon && <Icon size={16} aria-hidden className="shrink-0" />}
      {children}
    </DropdownMenu.Item>
  );
}

export function MenuChoice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  return (
    <DropdownMenu.RadioGroup value={value} onValueChange={(next) => onChange(next as T)} aria-label={label}>
      <DropdownMenu.Label className="px-2 pt-2 pb-1 text-xs text-muted">{label}</DropdownMenu.Label>
      {options.map(([name, text]) => (
        <DropdownMenu.RadioItem key={name} value={name} className={cx(ITEM, 'pl-8 relative')}>
          <DropdownMenu.ItemIndicator className="absolute left-2">
            <Check size={16} aria-hidden />
          </DropdownMenu.ItemIndicator>
          <span className="truncate">{text}</span>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export function MenuLine() {
  return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
}
