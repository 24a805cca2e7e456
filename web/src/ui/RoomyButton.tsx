import { Button, type ButtonProps } from './Button';

/** Its words are there where there is room for them; else they are its name alone. */
export function RoomyButton({ children, ...rest }: ButtonProps) {
  return (
    <Button {...rest} title={rest.title ?? (typeof children === 'string' ? children : undefined)}>
      <span className="max-sm:sr-only">{children}</span>
    </Button>
  );
}
