import { useId, type ReactNode } from 'react';
import { keepArrows } from './keepArrows';

export interface RangeFieldProps {
  label: string;
  /** What the place of the handle means, in words. */
  shown: string;
  min: number;
  max: number;
  step: number;
  value: number;
  onChange: (value: number) => void;
  /** The handle came to rest: for what takes a request. */
  onSettle?: (value: number) => void;
  children?: ReactNode;
  className?: string;
}

export function RangeField({
  label,
  shown,
  onChange,
  onSettle,
  children,
  className,
  ...rest
}: RangeFieldProps) {
  const id = useId();
  const settle = (event: { currentTarget: HTMLInputElement }) =>
    onSettle?.(Number(event.currentTarget.value));
  return (
    <div className={className}>
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        <output htmlFor={id} className="tabular-nums">
          {shown}
        </output>
      </div>
      <input
        id={id}
        type="range"
        {...rest}
        aria-valuetext={shown}
        onChange={(event) => onChange(Number(event.target.value))}
        onKeyDown={keepArrows}
        onPointerUp={settle}
        onKeyUp={settle}
        onBlur={settle}
        className="h-6 w-full pointer-coarse:h-11"
      />
      {children}
    </div>
  );
}
