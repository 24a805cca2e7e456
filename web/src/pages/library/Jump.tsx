/* To a month or a project, by typing some letters of it, or to a folder: the way through a long library for whoever
 * has no mouse, or no room for the scale of months. */
import { CalendarDays, FolderTree as ProjectIcon, type LucideIcon } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { chooseProject, useProjects } from '@/app/project';
import { monthName } from '@/grid/Scrubber';
import type { Segment } from '@/grid/sections';
import { number, t } from '@/text';
import { cx } from '@/ui/cx';
import { Dialog } from '@/ui/Dialog';
import { INPUT } from '@/ui/Field';
import { Segments } from '@/ui/Segments';
import { FolderTree } from './FolderTree';

export interface Month {
  month: string;
  count: number;
}

/** A month may be in several segments. */
export function monthsOf(segments: readonly Segment[]): Month[] {
  const months: Month[] = [];
  for (const { month, count } of segments) {
    const last = months.at(-1);
    if (last?.month === month) last.count += count;
    else months.push({ month, count });
  }
  return months;
}

interface Place {
  key: string;
  icon: LucideIcon;
  text: string;
  /** Also found by: 2026-05. */
  also: string;
  n?: number;
  go: () => void;
}

/** As many as anybody looks at; typing finds the others. */
const SHOWN = 200;

function Places({
  segments,
  onMonth,
  onClose,
}: {
  segments: readonly Segment[];
  onMonth: (month: string) => void;
  onClose: () => void;
}) {
  const { data: projects = [] } = useProjects();
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const places: Place[] = [
    ...monthsOf(segments).map(({ month, count }) => ({
      key: month,
      icon: CalendarDays,
      text: monthName(month),
      also: month,
      n: count,
      go: () => onMonth(month),
    })),
    ...(projects.length > 1 ? [{ id: 0, name: t('nav.allProjects') }, ...projects] : []).map((one) => ({
      key: `p${one.id}`,
      icon: ProjectIcon,
      text: one.name,
      also: '',
      go: () => chooseProject(one.id),
    })),
  ];
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const hits = places
    .filter(({ text, also }) => wanted.every((word) => `${text} ${also}`.toLocaleLowerCase().includes(word)))
    .slice(0, SHOWN);
  const go = (place: Place | undefined) => {
    if (!place) return;
    onClose();
    place.go();
  };
  const step = (by: number) => {
    const next = (at + by + hits.length) % Math.max(1, hits.length);
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <>
      <input
        role="combobox"
        aria-label={t('jump.field')}
        aria-expanded={hits.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={hits.length ? `${id}-${at}` : undefined}
        placeholder={t('jump.field')}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (by) {
            event.preventDefault();
            step(by);
          } else if (event.key === 'Enter') go(hits[at]);
        }}
        className={INPUT}
      />
      {hits.length > 0 && (
        <ul
          ref={list}
          id={`${id}-list`}
          role="listbox"
          aria-label={t('jump.title')}
          className="mt-2 max-h-[50dvh] overflow-auto"
        >
          {hits.map((place, i) => (
            <li
              key={place.key}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === at}
              onPointerMove={() => setAt(i)}
              onClick={() => go(place)}
              className={cx(
                'flex min-h-10 cursor-pointer items-center gap-3 rounded-md px-3 pointer-coarse:min-h-11',
                i === at && 'bg-sunken',
              )}
            >
              <place.icon size={16} aria-hidden className="shrink-0 text-muted" />
              <span className="min-w-0 flex-1 truncate">{place.text}</span>
              {place.n !== undefined && <span className="text-muted tabular-nums">{number(place.n)}</span>}
            </li>
          ))}
        </ul>
      )}
      {hits.length === 0 && <p className="p-3 text-muted">{t('jump.none')}</p>}
    </>
  );
}

export function Jump({
  segments,
  folder,
  onMonth,
  onFolder,
  onClose,
}: {
  segments: readonly Segment[];
  /** That is looked at; '' where it is none. */
  folder: string;
  onMonth: (month: string) => void;
  onFolder: (path: string) => void;
  onClose: () => void;
}) {
  const [to, setTo] = useState<'places' | 'folders'>(folder ? 'folders' : 'places');
  // Who goes from one to the other by the arrow keys keeps the focus.
  const [switched, setSwitched] = useState(false);
  // The dialog gives the focus to its first field; here that is the choice, and the keys are for what was chosen.
  const chosen = useRef<HTMLDivElement>(null);
  useEffect(() => chosen.current?.querySelector<HTMLElement>('[role=combobox], [role=tree]')?.focus(), []);
  return (
    <Dialog title={t('jump.title')} onClose={onClose}>
      <div className="mb-3">
        <Segments
          label={t('folders.kind')}
          value={to}
          options={[
            { value: 'places', text: t('folders.places') },
            { value: 'folders', text: t('folders.title') },
          ]}
          onChange={(next) => {
            setTo(next);
            setSwitched(true);
          }}
        />
      </div>
      <div ref={chosen}>
        {to === 'places' ? (
          <Places segments={segments} onMonth={onMonth} onClose={onClose} />
        ) : (
          <FolderTree
            chosen={folder}
            focused={!switched}
            onGo={(path) => {
              onClose();
              onFolder(path);
            }}
          />
        )}
      </div>
    </Dialog>
  );
}
