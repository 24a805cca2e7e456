import { number } from '@/text';

/** How far something is; without a total it only says that it goes on. */
export function Meter({ label, done, total }: { label: string; done: number; total: number }) {
  const part = total > 0 ? Math.min(1, done / total) : undefined;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={part === undefined ? undefined : Math.round(part * 100)}
      aria-valuetext={part === undefined ? undefined : number(part, { style: 'percent' })}
      className="h-2 overflow-hidden rounded-full bg-sunken"
    >
      <div
        className={part === undefined ? 'h-full w-1/3 animate-pulse bg-accent' : 'h-full bg-accent'}
        style={part === undefined ? undefined : { width: `${part * 100}%` }}
      />
    </div>
  );
}
