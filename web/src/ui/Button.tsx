import type { LucideIcon } from 'lucide-react';
import type { ComponentProps } from 'react';
import { cx } from './cx';

const LOOKS = {
  primary: 'bg-accent text-on-accent hover:opacity-90',
  plain: 'border border-line bg-surface text-text hover:bg-sunken',
  quiet: 'text-text hover:bg-sunken',
  danger: 'border border-danger bg-surface text-danger hover:bg-danger-soft',
};

export interface ButtonProps extends ComponentProps<'button'> {
  look?: keyof typeof LOOKS;
  icon?: LucideIcon;
  busy?: boolean;
}

export function Button({ look = 'plain', icon: Icon, busy, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled ?? busy}
      aria-busy={busy}
      className={cx(
        'inline-flex min-h-9 items-center justify-center gap-2 rounded-md px-3 font-medium transition-colors',
        'disabled:cursor-not-allowed disabled:opacity-50 pointer-coarse:min-h-11',
        LOOKS[look],
        className,
      )}
    >
      {Icon && <Icon size={16} aria-hidden />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends ComponentProps<'button'> {
  icon: LucideIcon;
  label: string;
  size?: number;
}

/** A picture that does something; its name shows when the pointer rests. */
export function IconButton({ icon: Icon, label, size = 18, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cx(
        'inline-flex size-9 shrink-0 items-center justify-center rounded-md transition-colors hover:bg-sunken',
        'disabled:cursor-not-allowed disabled:opacity-40 pointer-coarse:size-11',
        className,
      )}
    >
      <Icon size={size} aria-hidden />
    </button>
  );
}
