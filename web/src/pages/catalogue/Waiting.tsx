import { Skeleton } from '@/ui/Skeleton';

/** Where products will be. */
export function Waiting() {
  return (
    <div className="grid grid-cols-2 gap-3 md:grid-cols-4 lg:grid-cols-5">
      {Array.from({ length: 10 }, (_, i) => (
        <Skeleton key={i} className="aspect-3/4" />
      ))}
    </div>
  );
}
