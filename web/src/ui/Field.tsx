import { Eye, EyeOff } from 'lucide-react';
import { useId, useState, type ComponentProps } from 'react';
import { t } from '@/text';
import { IconButton } from './Button';
import { cx } from './cx';

export const INPUT =
  'min-h-9 w-full rounded-md border border-line-strong bg-surface px-3 text-text placeholder:text-muted pointer-coarse:min-h-11';

export interface FieldProps extends ComponentProps<'input'> {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
}

export function Field({ label, hint, error, className, ...rest }: FieldProps) {
  const id = useId();
  const about = error ?? hint;
  return (
    <div className={cx('flex flex-col gap-1', className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-describedby={about ? `${id}-about` : undefined}
        aria-invalid={error !== undefined}
        {...rest}
        className={cx(INPUT, error !== undefined && 'border-danger')}
      />
      {about && (
        <p id={`${id}-about`} className={error ? 'text-danger' : 'text-muted'}>
          {about}
        </p>
      )}
    </div>
  );
}

export function PasswordField({ label, hint, error, ...rest }: FieldProps) {
  const [shown, setShown] = useState(false);
  const id = useId();
  const about = error ?? hint;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <div className="relative">
        <input
          id={id}
          aria-describedby={about ? `${id}-about` : undefined}
          aria-invalid={error !== undefined}
          {...rest}
          type={shown ? 'text' : 'password'}
          className={cx(INPUT, 'pr-11')}
        />
        <IconButton
          icon={shown ? EyeOff : Eye}
          label={shown ? t('auth.hide') : t('auth.show')}
          aria-pressed={shown}
          className="absolute top-0 right-0"
          onClick={() => setShown(!shown)}
        />
      </div>
      {about && (
        <p id={`${id}-about`} className={error ? 'text-danger' : 'text-muted'}>
          {about}
        </p>
      )}
    </div>
  );
}
