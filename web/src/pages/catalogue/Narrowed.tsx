import { Filter } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Skeleton } from '@/ui/Skeleton';
import { Chips, Narrow, type NarrowProps } from './Narrow';
import { isFiltered } from './products';
import { useFilters } from './useFilters';

export interface NarrowedProps extends Pick<NarrowProps, 'facets' | 'pictures'> {
  /** How many there are, in words. */
  count: string;
  children: ReactNode;
}

/** The filters at the side, or behind a button where there is no room for them. */
export function Narrowed({ facets, pictures, count, children }: NarrowedProps) {
  const [filters, setFilters] = useFilters();
  const [open, setOpen] = useState(false);
  const narrow = <Narrow filters={filters} facets={facets} onChange={setFilters} pictures={pictures} />;
  const some =
    isFiltered(filters) ||
    (facets.categories?.categories.length ?? 0) > 0 ||
    facets.prices?.price.min != null;
  const waiting = facets.categories === undefined && facets.prices === undefined;
  const side = some || waiting; // its place is kept, so that nothing moves when it comes
  return (
    <div key={side ? 'side' : 'whole'} className="flex min-h-0 flex-1 gap-6">
      {side && (
        <aside
          aria-label={t('catalogue.filter.title')}
          className="hidden w-56 shrink-0 overflow-auto px-1 pb-6 lg:block"
        >
          {waiting ? <Skeleton className="h-60" /> : narrow}
        </aside>
      )}
      <div className="flex min-h-0 min-w-0 flex-1 flex-col gap-3">
        <div className="flex flex-wrap items-center gap-2">
          {some && (
            <Button icon={Filter} onClick={() => setOpen(true)} className="lg:hidden">
              {t('catalogue.filter.title')}
            </Button>
          )}
          <p role="status" className="text-muted">
            {count}
          </p>
          <Chips filters={filters} onChange={setFilters} />
        </div>
        {children}
      </div>
      {open && (
        <Dialog title={t('catalogue.filter.title')} onClose={() => setOpen(false)}>
          {narrow}
          <div className="mt-6 flex justify-end">
            <Button look="primary" onClick={() => setOpen(false)}>
              {t('catalogue.filter.show')}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
