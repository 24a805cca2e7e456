import { useId, type ComponentProps } from 'react';
import { cx } from './cx';
import { INPUT } from './Field';

export interface SelectProps extends ComponentProps<'select'> {
  label: string;
  options: readonly (readonly [value: string, text: string])[];
  /** Its name is for screen readers alone. */
  bare?: boolean;
  hint?: string;
}

/** The browser's own list of choices, with a name. */
export function Select({ label, options, bare, hint, className, ...rest }: SelectProps) {
  const id = useId();
  return (
    <div className={cx('flex flex-col gap-1', className)}>
      <label htmlFor={id} className={bare ? 'sr-only' : 'font-medium'}>
        {label}
      </label>
      <select id={id} aria-describedby={hint ? `${id}-hint` : undefined} {...rest} className={INPUT}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      {hint && (
        <p id={`${id}-hint`} className="text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}
