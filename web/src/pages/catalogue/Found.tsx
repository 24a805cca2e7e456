import { SearchX } from 'lucide-react';
import { number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Trouble } from '@/ui/Trouble';
import { Hits } from './Hits';
import { Narrowed } from './Narrowed';
import { useSearch, type Question } from './search';
import { Waiting } from './Waiting';

/** What a search found. */
export function Found({ question }: { question: Question }) {
  const { hits, first, error, refetch, hasNextPage, isFetching, isFetchingNextPage, fetchNextPage } =
    useSearch(question);
  const facets = first?.facets;
  return (
    <Narrowed
      pictures={false}
      count={
        first && first.total > 0
          ? t('catalogue.search.found', {
              n: first.total,
              ms: number(first.execution_time_ms, { maximumFractionDigits: 0 }),
            })
          : ''
      }
      facets={{ categories: facets, prices: facets, currencies: facets }}
    >
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !first ? (
        <Waiting />
      ) : hits.length === 0 ? (
        <Empty icon={SearchX} title={t('catalogue.search.none')} text={t('catalogue.search.noneHint')} />
      ) : (
        <div className="-mx-1 flex min-h-0 flex-1 flex-col gap-4 overflow-auto px-1 pt-1 pb-6">
          <Hits hits={hits} busy={isFetching} />
          {hasNextPage && (
            <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()} className="self-center">
              {t('catalogue.search.more')}
            </Button>
          )}
        </div>
      )}
    </Narrowed>
  );
}
