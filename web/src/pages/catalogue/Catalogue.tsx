/* The catalogue: cards or a table of all products, narrowed by what they are made of, or what a search found. */
import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowDownUp, ChartColumn, Ellipsis, FileUp, Grid2x2, Plus, RefreshCw, Table2 } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjectId } from '@/app/project';
import { useUser } from '@/app/session';
import { toast } from '@/app/toasts';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { isPicture } from '@/upload/files';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Menu, MenuChoice, MenuItem } from '@/ui/Menu';
import { useTitle } from '@/ui/Page';
import { RoomyButton } from '@/ui/RoomyButton';
import { Segments } from '@/ui/Segments';
import { Ask } from './Ask';
import { Browse } from './Browse';
import { Found } from './Found';
import { mayReadLogs, useMayEdit } from './may';
import { readFilters, readOrder, SORTS, type Order } from './products';
import { EVEN, hold, isAsked, readLike, readWeight } from './search';
import { start } from './task';
import { Task } from './Task';

function usePastedPicture(onPicture: (file: File) => void) {
  const latest = useRef(onPicture);
  useEffect(() => {
    latest.current = onPicture;
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const file = [...(event.clipboardData?.files ?? [])].find(isPicture);
      if (file) latest.current(file);
    };
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, []);
}

function OrderMenu({ order, onOrder }: { order: Order; onOrder: (order: Order) => void }) {
  const by = t(`catalogue.sort.${order.sort}`);
  return (
    <Menu
      trigger={
        <Button icon={ArrowDownUp} aria-label={`${t('catalogue.order')}: ${by}`}>
          <span className="max-md:hidden">{by}</span>
        </Button>
      }
    >
      <MenuChoice<Order['sort']>
        label={t('catalogue.order')}
        value={order.sort}
        options={SORTS.map((sort) => [sort, t(`catalogue.sort.${sort}`)] as const)}
        onChange={(sort) => onOrder({ ...readOrder({ sort }), sort })}
      />
      <MenuChoice<Order['order']>
        label={t('catalogue.direction')}
        value={order.order}
        options={[
          ['asc', t('catalogue.ascending')],
          ['desc', t('catalogue.descending')],
        ]}
        onChange={(direction) => onOrder({ ...order, order: direction })}
      />
    </Menu>
  );
}

export default function Catalogue() {
  useTitle(t('catalogue.title'));
  const [url, setUrl] = useUrl();
  const navigate = useNavigate();
  const filters = readFilters(url);
  const project = useProjectId();
  const user = useUser();
  const may = useMayEdit(project);
  const like = useMemo(() => readLike(url), [url]);
  const setLike = (file: File | null) =>
    setUrl({ file: file ? String(hold(file)) : undefined, product: undefined, image: undefined });
  const [over, setOver] = useState(false);
  const order = readOrder(url);
  const question = { words: url['q'] ?? '', like, weight: readWeight(url), filters, project };
  const asked = isAsked(question);
  const table = url['view'] === 'table';
  const show = (view: 'cards' | 'table') => setUrl({ view: view === 'cards' ? undefined : view }, true);
  usePastedPicture(setLike);
  useShortcuts(
    [{ keys: 'v', label: t('catalogue.keys.view'), run: () => show(table ? 'cards' : 'table') }],
    !asked,
  );
  useShortcuts(
    [
      { keys: 'n', label: t('catalogue.add'), run: () => void navigate({ to: '/catalogue/new' }) },
      { keys: 'i', label: t('catalogue.importFile'), run: () => void navigate({ to: '/catalogue/import' }) },
    ],
    may,
  );
  useShortcuts([
    {
      keys: 'f',
      label: t('catalogue.search.label'),
      run: () => document.querySelector<HTMLElement>('[data-search]')?.focus(),
    },
  ]);
  const inProject = project === undefined ? {} : { project_id: project };
  return (
    <div
      className={cx(
        'relative flex h-full flex-col gap-3 p-4 pb-0 md:p-6 md:pb-0',
        over && 'outline-2 -outline-offset-8 outline-accent',
      )}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (event.currentTarget === event.target) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = [...event.dataTransfer.files].find(isPicture);
        if (file) setLike(file);
        else if (event.dataTransfer.files.length > 0)
          toast({ text: t('catalogue.notAPicture'), kind: 'error' });
      }}
    >
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="text-xl font-semibold">{t('catalogue.title')}</h1>
        <div className="ml-auto flex flex-wrap gap-2">
          {!asked && (
            <>
              <Segments<'cards' | 'table'>
                label={t('catalogue.view')}
                value={table ? 'table' : 'cards'}
                options={[
                  { value: 'cards', text: t('catalogue.cards'), icon: Grid2x2 },
                  { value: 'table', text: t('catalogue.table'), icon: Table2 },
                ]}
                onChange={show}
              />
              <OrderMenu order={order} onOrder={({ sort, order: by }) => setUrl({ sort, order: by }, true)} />
            </>
          )}
          {mayReadLogs(user) && (
            <Link
              to="/catalogue/searches"
              title={t('catalogue.report.title')}
              className="inline-flex min-h-9 items-center gap-2 rounded-md border border-line bg-surface px-3 font-medium hover:bg-sunken pointer-coarse:min-h-11"
            >
              <ChartColumn size={16} aria-hidden />
              <span className="max-sm:sr-only">{t('catalogue.report.title')}</span>
            </Link>
          )}
          {may && (
            <>
              <RoomyButton icon={FileUp} onClick={() => void navigate({ to: '/catalogue/import' })}>
                {t('catalogue.importFile')}
              </RoomyButton>
              <RoomyButton look="primary" icon={Plus} onClick={() => void navigate({ to: '/catalogue/new' })}>
                {t('catalogue.add')}
              </RoomyButton>
              <Menu
                trigger={
                  <Button icon={Ellipsis} aria-label={t('catalogue.tasks')} title={t('catalogue.tasks')} />
                }
              >
                <MenuItem icon={RefreshCw} onSelect={() => void start('/products/index', inProject)}>
                  {t('catalogue.fetchWaiting')}
                </MenuItem>
                <MenuItem icon={RefreshCw} onSelect={() => void start('/products/reindex', inProject)}>
                  {t('catalogue.reindexAll')}
                </MenuItem>
              </Menu>
            </>
          )}
        </div>
      </header>
      <Ask
        words={question.words}
        like={like}
        weight={question.weight}
        onWords={(q) => setUrl({ q: q || undefined }, false)}
        onPicture={setLike}
        onNoPicture={() => setLike(null)}
        onWeight={(weight) => setUrl({ weight: weight === EVEN ? undefined : String(weight) }, true)}
      />
      <Task />
      {asked ? <Found question={question} /> : <Browse />}
    </div>
  );
}
