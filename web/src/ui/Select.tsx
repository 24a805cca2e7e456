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
    <div className={cx('flex min-w-0 flex-col gap-1', className)}>
      <label htmlFor={id} className={bare ? 'sr-only' : 'font-medium'}>
        {label}
      </label>
      <select
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
        className={cx(INPUT, 'pr-8')}
      >
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

export interface ChoiceProps<T extends string> extends Omit<SelectProps, 'value' | 'options' | 'onChange'> {
  value: T;
  options: readonly (readonly [value: T, text: string])[];
  onChange: (value: T) => void;
}

/** One of the words of a type. */
export function Choice<T extends string>({ onChange, ...rest }: ChoiceProps<T>) {
  return <Select {...rest} onChange={(event) => onChange(event.target.value as T)} />;
}
