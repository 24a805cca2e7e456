import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

/** Nothing is here yet: how to begin, with the action at hand. */
export function Empty({
  icon: Icon,
  title,
  text,
  children,
  main,
}: {
  icon: LucideIcon;
  title: string;
  text: string;
  children?: ReactNode;
  /** It is the whole page. */
  main?: boolean;
}) {
  const Heading = main ? 'h1' : 'h2';
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-3 px-6 py-16 text-center">
      <Icon size={40} strokeWidth={1.5} aria-hidden className="text-muted" />
      <Heading className="text-lg font-semibold">{title}</Heading>
      <p className="text-muted">{text}</p>
      {children && <div className="mt-2 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}
