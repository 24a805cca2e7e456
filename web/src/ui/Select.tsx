import { useId } from 'react';
import { cx } from './cx';
import { INPUT } from './Field';

/** One of many, by the browser's own list. `bare`: the label is there for screen readers alone. */
export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
  bare,
  className,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  bare?: boolean;
  className?: string;
}) {
  const id = useId();
  return (
    <div className={cx('flex min-w-0 flex-col gap-1', className)}>
      <label htmlFor={id} className={bare ? 'sr-only' : 'font-medium'}>
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value as T)}
        className={cx(INPUT, 'pr-8')}
      >
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
