import { useQuery } from '@tanstack/react-query';
import { Image } from 'lucide-react';
import { magpie } from '@/app/session';
import type { Cell } from '@/grid/useCells';
import { Thumb } from '@/grid/Picture';
import { cx } from '@/ui/cx';

const PLACES = 4;

/** What came into a project last, for the eye alone: its name stands below. */
export function Glimpse({ project, faded }: { project: number; faded: boolean }) {
  const { data } = useQuery({
    queryKey: ['recent', 'glimpse', project],
    queryFn: ({ signal }) =>
      magpie.json<{ cells: Cell[] }>('GET', '/api/images/cells', {
        query: { sort: 'added', order: 'desc', limit: PLACES, project_id: project },
        signal,
      }),
    staleTime: 5 * 60_000,
  });
  if (data?.cells.length === 0)
    return (
      <span aria-hidden className="flex h-24 items-center justify-center rounded-t-md bg-sunken text-muted">
        <Image size={28} strokeWidth={1.5} />
      </span>
    );
  return (
    <div
      aria-hidden
      className={cx(
        'grid h-24 grid-cols-4 gap-px overflow-hidden rounded-t-md',
        faded && 'opacity-50 grayscale',
      )}
    >
      {Array.from({ length: PLACES }, (_, i) => {
        const cell = data?.cells[i];
        return cell ? (
          <Thumb key={cell.id} src={cell.preview_url} alt="" className="h-24 w-full" />
        ) : (
          <span key={i} className="bg-sunken" />
        );
      })}
    </div>
  );
}
