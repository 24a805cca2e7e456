import { useId, type ComponentProps } from 'react';
import { cx } from './cx';
import { INPUT } from './Field';

/** As Field, for more than a line. */
export function TextArea({
  label,
  hint,
  className,
  ...rest
}: ComponentProps<'textarea'> & { label: string; hint?: string }) {
  const id = useId();
  return (
    <div className={cx('flex flex-col gap-1', className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <textarea
        id={id}
        rows={3}
        aria-describedby={hint ? `${id}-about` : undefined}
        {...rest}
        className={cx(INPUT, 'resize-y py-2')}
      />
      {hint && (
        <p id={`${id}-about`} className="text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}
