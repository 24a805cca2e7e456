/* The folders that pictures come from, as a tree. Arrows walk through it, to the right and left they open and close;
 * Enter goes there. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight, Folder as FolderIcon, FolderUp } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useProjectId } from '@/app/project';
import { magpie } from '@/app/session';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { INPUT } from '@/ui/Field';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { isCalled, rowsOf, sift, treeOf, within, type Folder, type Node, type Row } from './folders';

/** As many can be looked through without typing. */
const FEW = 12;
/** As many as anybody looks at; typing finds the others. */
const SHOWN = 300;

interface Answer {
  folders: Folder[];
  more: boolean;
}

function useFolders() {
  const project_id = useProjectId();
  return useQuery({
    queryKey: ['folders', project_id],
    queryFn: ({ signal }) =>
      magpie.json<Answer>('GET', '/api/images/folders', { query: { project_id }, signal }),
    staleTime: 0,
  });
}

/** The way to the one that is looked at; and where there is but one, nobody needs to open it. */
function openAtFirst(nodes: readonly Node[], chosen: string): Set<string> {
  const open = new Set(nodes.length === 1 ? nodes.map(({ path }) => path) : []);
  const walk = (node: Node) => {
    if (!within(chosen, node.path) || chosen === node.path) return;
    open.add(node.path);
    node.children.forEach(walk);
  };
  nodes.forEach(walk);
  return open;
}

function Line({
  row,
  id,
  active,
  chosen,
  onPoint,
  onToggle,
  onGo,
}: {
  row: Row;
  id: string;
  active: boolean;
  chosen: boolean;
  onPoint: () => void;
  onToggle: () => void;
  onGo: () => void;
}) {
  const { node, level, open, position, siblings } = row;
  return (
    <li
      id={id}
      role="treeitem"
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={open}
      aria-selected={chosen}
      onPointerMove={onPoint}
      onClick={onGo}
      style={{ paddingInlineStart: `${(Math.min(level, 10) - 1) * 1.125}rem` }}
      className={cx(
        'flex min-h-9 cursor-pointer items-center rounded-md pr-3 pointer-coarse:min-h-11',
        active && 'bg-sunken',
        chosen && 'font-medium text-accent',
      )}
    >
      <span
        aria-hidden
        data-toggle
        onClick={(event) => {
          if (open === undefined) return;
          event.stopPropagation();
          onToggle();
        }}
        className="flex size-9 shrink-0 items-center justify-center pointer-coarse:size-11"
      >
        {open !== undefined && (
          <ChevronRight size={16} className={cx('text-muted transition-transform', open && 'rotate-90')} />
        )}
      </span>
      <FolderIcon size={16} aria-hidden className="mr-2 shrink-0 text-muted" />
      <span className="min-w-0 flex-1 truncate" title={node.path}>
        {node.name}
      </span>
      <span className="pl-3 font-normal text-muted tabular-nums">{number(node.total)}</span>
    </li>
  );
}

function Tree({
  nodes,
  chosen,
  searchable,
  more,
  focused,
  onGo,
}: {
  nodes: readonly Node[];
  chosen: string;
  searchable: boolean;
  more: boolean;
  focused: boolean;
  onGo: (path: string) => void;
}) {
  const [words, setWords] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(() => openAtFirst(nodes, chosen));
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const sifted = wanted.length > 0;
  // What was found is shown with the way there, and can be closed as anything else.
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const all = rowsOf(sifted ? sift(nodes, wanted) : nodes, ({ path }) =>
    sifted ? !closed.has(path) : open.has(path),
  );
  const rows = all.slice(0, SHOWN);
  const [path, setPath] = useState(chosen);
  const pointed = rows.findIndex(({ node }) => node.path === path);
  // Of what was found it is the first hit, not the way there.
  const first = sifted ? rows.findIndex(({ node }) => isCalled(node, wanted)) : 0;
  const at = Math.max(0, pointed < 0 ? first : pointed);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  // Where it comes after the dialog was opened for it.
  const focus = useRef(focused);
  useEffect(() => {
    if (focus.current) (field.current ?? list.current)?.focus();
  }, []);
  const id = useId();
  const step = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setPath(rows[next]?.node.path ?? '');
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
  };
  const toggle = ({ node }: Row) => {
    const change = new Set(sifted ? closed : open);
    if (!change.delete(node.path)) change.add(node.path);
    (sifted ? setClosed : setOpen)(change);
    setPath(node.path);
  };
  const parentOf = (from: number) => {
    const level = rows[from]?.level ?? 1;
    return rows.slice(0, from).findLastIndex((row) => row.level < level);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at];
    const inText = event.target instanceof HTMLInputElement;
    if (!row) return;
    if (event.key === 'ArrowDown') step(at + 1);
    else if (event.key === 'ArrowUp') step(at - 1);
    else if (event.key === 'Enter') onGo(row.node.path);
    else if (inText) return;
    else if (event.key === ' ') onGo(row.node.path);
    else if (event.key === 'Home') step(0);
    else if (event.key === 'End') step(rows.length - 1);
    else if (event.key === 'ArrowRight' && row.open === false) toggle(row);
    else if (event.key === 'ArrowRight' && row.open) step(at + 1);
    else if (event.key === 'ArrowLeft' && row.open) toggle(row);
    else if (event.key === 'ArrowLeft' && row.level > 1) step(parentOf(at));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      {searchable && (
        <input
          ref={field}
          role="combobox"
          aria-label={t('folders.find')}
          aria-haspopup="tree"
          aria-expanded={rows.length > 0}
          aria-controls={`${id}-tree`}
          aria-activedescendant={rows.length > 0 ? `${id}-${at}` : undefined}
          placeholder={t('folders.find')}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setPath('');
            setClosed(new Set());
          }}
          onKeyDown={onKeyDown}
          className={cx(INPUT, 'mb-2')}
        />
      )}
      {rows.length > 0 ? (
        <ul
          ref={list}
          id={`${id}-tree`}
          role="tree"
          tabIndex={0}
          aria-label={t('folders.title')}
          aria-activedescendant={`${id}-${at}`}
          onKeyDown={onKeyDown}
          className="max-h-[50dvh] overflow-auto rounded-md"
        >
          {rows.map((row, i) => (
            <Line
              key={row.node.path}
              row={row}
              id={`${id}-${i}`}
              active={i === at}
              chosen={row.node.path === chosen}
              onPoint={() => setPath(row.node.path)}
              onToggle={() => toggle(row)}
              onGo={() => onGo(row.node.path)}
            />
          ))}
        </ul>
      ) : (
        <p className="p-3 text-muted">{t('jump.none')}</p>
      )}
      {all.length > SHOWN && <p className="px-3 pt-2 text-muted">{t('folders.tooMany', { n: SHOWN })}</p>}
      {more && <p className="px-3 pt-2 text-muted">{t('folders.more')}</p>}
    </>
  );
}

export function FolderTree({
  chosen,
  focused,
  onGo,
}: {
  chosen: string;
  /** It is what was opened: keys are for it. */
  focused: boolean;
  onGo: (path: string) => void;
}) {
  const { data, error, refetch } = useFolders();
  const nodes = useMemo(() => treeOf(data?.folders ?? []), [data]);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-40" />;
  if (nodes.length === 0)
    return <Empty icon={FolderUp} title={t('folders.none')} text={t('folders.noneHint')} />;
  return (
    <Tree
      nodes={nodes}
      chosen={chosen}
      searchable={data.folders.length > FEW}
      more={data.more}
      focused={focused}
      onGo={onGo}
    />
  );
}
