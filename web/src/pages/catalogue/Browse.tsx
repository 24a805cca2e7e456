import { useNavigate } from '@tanstack/react-router';
import { FileUp, PackageOpen, Plus, SearchX } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjectId } from '@/app/project';
import { Selection } from '@/grid/select';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Tiles } from '@/ui/Tiles';
import { Trouble } from '@/ui/Trouble';
import { Bulk } from './Bulk';
import { useMayEdit } from './may';
import { Narrowed } from './Narrowed';
import { Photo } from './Photo';
import {
  FILTERS,
  isFiltered,
  priceText,
  readOrder,
  remove,
  useFacets,
  useProducts,
  type Product,
} from './products';
import { Rows } from './Rows';
import { State } from './State';
import { start } from './task';
import { useFilters } from './useFilters';
import { Waiting } from './Waiting';

function Card({ product }: { product: Product }) {
  return (
    <div className="flex flex-col pt-1">
      <p className="truncate font-medium">{product.title}</p>
      <p className="flex justify-between gap-2">
        <span className="truncate text-muted">{product.category}</span>
        <span className="shrink-0 tabular-nums">{priceText(product)}</span>
      </p>
      <p className="text-xs">
        <State product={product} />
      </p>
    </div>
  );
}

function NoneYet({ may }: { may: boolean }) {
  const navigate = useNavigate();
  return (
    <Empty
      icon={PackageOpen}
      title={t('catalogue.none')}
      text={t(may ? 'catalogue.noneHint' : 'catalogue.noneGuest')}
    >
      {may && (
        <>
          <Button look="primary" icon={FileUp} onClick={() => void navigate({ to: '/catalogue/import' })}>
            {t('catalogue.importFile')}
          </Button>
          <Button icon={Plus} onClick={() => void navigate({ to: '/catalogue/new' })}>
            {t('catalogue.add')}
          </Button>
        </>
      )}
    </Empty>
  );
}

/** Where somebody was in a list, to come back to. */
const places = new Map<string, number>();

/** The list of all of them, or of those within the filters. */
export function Browse() {
  const [url, setUrl] = useUrl();
  const navigate = useNavigate();
  const [filters, setFilters] = useFilters();
  const order = readOrder(url);
  const project = useProjectId();
  const may = useMayEdit(project);
  const query = useProducts(filters, order, project, true);
  const { list, total, facets, error, refetch, hasNextPage, isFetching, fetchNextPage, isPlaceholderData } =
    query;
  const byPrice = filters.price_min !== '' || filters.price_max !== '';
  const categories = useFacets(filters, ['category'], project, filters.category !== '');
  const prices = useFacets(filters, ['price_min', 'price_max'], project, byPrice);
  const currencies = useFacets(filters, ['currency'], project, filters.currency !== '');
  const place = JSON.stringify([filters, order, project]);
  const [from, setFrom] = useState(place);
  const [active, setActive] = useState(places.get(place) ?? 0);
  const [selection, setSelection] = useState(() => new Selection());
  if (from !== place) {
    // Another list: what is chosen must be in sight.
    setFrom(place);
    setActive(places.get(place) ?? 0);
    setSelection(new Selection());
  }
  useEffect(() => {
    places.set(place, active);
  }, [place, active]);
  const near = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const table = url['view'] === 'table';
  const clear = () => setSelection(new Selection());
  const fetchChosen = () => {
    // A job belongs to one project.
    const projects = new Map<number, number[]>();
    for (const { id, project_id } of list)
      if (selection.has(id)) projects.set(project_id, [...(projects.get(project_id) ?? []), id]);
    for (const [project_id, product_ids] of projects)
      void start('/products/index', { project_id, product_ids: product_ids.slice(0, 10_000) });
    clear();
  };
  useShortcuts([{ keys: 'Escape', label: t('catalogue.bulk.clear'), run: clear }], selection.size > 0);
  const shared = {
    label: t('catalogue.list'),
    items: list,
    total: total ?? 0,
    onNear: near,
    selection: may ? selection : undefined,
    onSelection: setSelection,
  };
  const body = error ? (
    <Trouble error={error} onRetry={() => void refetch()} />
  ) : total === undefined ? (
    <Waiting />
  ) : list.length === 0 && !hasNextPage ? (
    isFiltered(filters) ? (
      <Empty icon={SearchX} title={t('catalogue.noMatch')} text={t('catalogue.noMatchHint')}>
        <Button onClick={() => setFilters(Object.fromEntries(FILTERS.map((name) => [name, ''])))}>
          {t('catalogue.clearFilters')}
        </Button>
      </Empty>
    ) : (
      <NoneYet may={may} />
    )
  ) : table ? (
    <Rows
      {...shared}
      active={active}
      onActive={setActive}
      order={order}
      onOrder={(next) => setUrl({ sort: next.sort, order: next.order }, true)}
    />
  ) : (
    <div className={cx('-mx-4 flex min-h-0 flex-1 flex-col md:-mx-6', isPlaceholderData && 'opacity-60')}>
      <Tiles<Product>
        label={shared.label}
        items={list}
        total={shared.total}
        idOf={({ id }) => id}
        nameOf={(one) =>
          [one.title, priceText(one), t(`catalogue.state.${one.index_state}`)].filter(Boolean).join(', ')
        }
        picture={(one) => <Photo product={one} className="size-full" />}
        caption={(one) => <Card product={one} />}
        captionHeight={66}
        active={Math.min(active, Math.max(0, list.length - 1))}
        onActive={setActive}
        onOpen={(at) => {
          const one = list[at];
          if (one) void navigate({ to: '/catalogue/$id', params: { id: String(one.id) } });
        }}
        onNear={near}
        {...(may ? { selection, onSelection: setSelection } : {})}
      />
    </div>
  );
  return (
    <>
      <Narrowed
        pictures
        count={total ? t('catalogue.count', { n: total }) : ''}
        facets={{
          categories: filters.category ? categories : facets,
          prices: byPrice ? prices : facets,
          currencies: filters.currency ? currencies : facets,
        }}
      >
        {body}
      </Narrowed>
      {may && selection.size > 0 && (
        <Bulk
          n={selection.size}
          onClear={clear}
          onFetch={fetchChosen}
          onRemove={() => {
            remove([...selection.ids]);
            clear();
          }}
        />
      )}
    </>
  );
}
