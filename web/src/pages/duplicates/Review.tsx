/* One cluster at a time: the picture that is kept against each of the others, one key per verdict. */
import {
  ArrowLeft,
  Ban,
  Blend,
  Check,
  ChevronLeft,
  ChevronRight,
  Columns2,
  Contrast,
  Equal,
  EqualNot,
  SquareSplitHorizontal,
  Star,
  Trash2,
  Undo2,
  type LucideIcon,
} from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useShortcuts } from '@/app/keys';
import { mayWrite, useUser } from '@/app/session';
import { keyOf } from '@/lib/verdicts';
import { useUrl } from '@/lib/url';
import { bytes, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Keycap } from '@/ui/Keycap';
import { Segments } from '@/ui/Segments';
import { Compare, MODES, nameOf, type Mode } from './Compare';
import { goes, savedBy, type Cluster, type Decision, type Member } from './decide';
import { PairFacts, Relation } from './Facts';
import type { Decide } from './useDecide';
import { why } from './why';

const MODE_ICONS: Readonly<Record<Mode, LucideIcon>> = {
  side: Columns2,
  swipe: SquareSplitHorizontal,
  onion: Blend,
  difference: Contrast,
};

function isMode(name: string | undefined): name is Mode {
  return MODES.some((mode) => mode === name);
}

function Fate({ member, decision }: { member: Member; decision: Decision }) {
  if (member.id === decision.keep)
    return (
      <span className="flex items-center gap-1 font-medium text-ok">
        <Star size={12} aria-hidden className="fill-current" />
        {t('duplicates.keep')}
      </span>
    );
  return decision.stay.includes(member.id) ? (
    <span className="text-muted">{t('duplicates.stays')}</span>
  ) : (
    <span className="flex items-center gap-1 text-danger">
      <Trash2 size={12} aria-hidden />
      {t('duplicates.goes')}
    </span>
  );
}

/** All of the cluster; a click holds one against the picture that is kept. */
function Strip({
  cluster,
  decision,
  shown,
  onChoose,
}: {
  cluster: Cluster;
  decision: Decision;
  shown: number;
  onChoose: (id: number) => void;
}) {
  const current = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    current.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [shown]);
  return (
    <ul
      aria-label={t('duplicates.pictures')}
      className="flex shrink-0 gap-2 overflow-x-auto border-t border-line bg-surface p-2"
    >
      {cluster.members.map((member) => (
        <li key={member.id} className="shrink-0">
          <button
            ref={member.id === shown ? current : undefined}
            type="button"
            aria-current={member.id === shown || undefined}
            title={`${nameOf(member)} · ${why(member.reason)}`}
            onClick={() => onChoose(member.id)}
            className={cx(
              'flex flex-col items-center gap-1 rounded-md p-1 text-xs hover:bg-sunken',
              member.id === shown && 'bg-accent-soft',
            )}
          >
            <img
              src={member.preview_url}
              alt={nameOf(member)}
              draggable={false}
              className={cx(
                'h-16 w-20 rounded bg-sunken object-cover',
                goes(cluster, decision).includes(member) && 'opacity-60',
              )}
            />
            <Fate member={member} decision={decision} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Act({
  icon,
  text,
  keyName,
  onClick,
  pressed,
  primary,
  className,
}: {
  icon: LucideIcon;
  text: string;
  keyName: string;
  onClick: () => void;
  pressed?: boolean;
  primary?: boolean;
  className?: string;
}) {
  return (
    <Button
      icon={icon}
      look={primary ? 'primary' : 'plain'}
      aria-pressed={pressed}
      aria-keyshortcuts={keyName}
      onClick={onClick}
      className={cx('justify-start! text-left', pressed && 'border-accent bg-accent-soft', className)}
    >
      <span className="min-w-0 flex-1">{text}</span>
      <Keycap>{keyName.toUpperCase()}</Keycap>
    </Button>
  );
}

export interface ReviewProps {
  cluster: Cluster;
  place: number;
  total: number;
  decide: Decide;
  /** Of clusters; 'open': the next one that nothing is decided of. */
  onStep: (to: 1 | -1 | 'open') => void;
  onClose: () => void;
}

/** The member after `id`, without the one that is kept. */
function beside(cluster: Cluster, keep: number, id: number, by: 1 | -1): number {
  const others = cluster.members.filter((one) => one.id !== keep);
  const at = others.findIndex((one) => one.id === id);
  return others[(at + by + others.length) % others.length]?.id ?? id;
}

export function Review({ cluster, place, total, decide, onStep, onClose }: ReviewProps) {
  const [url, setUrl] = useUrl();
  const may = mayWrite(useUser());
  const mode: Mode = isMode(url['mode']) ? url['mode'] : 'side';
  const decision = decide.of(cluster);
  const left = cluster.members.find((one) => one.id === decision.keep) ?? cluster.members[0];
  const others = cluster.members.filter((one) => one.id !== left?.id);
  const right = others.find((one) => one.id === Number(url['other'])) ?? others[0];
  const setMode = (next: Mode) => setUrl({ mode: next === 'side' ? undefined : next }, true);
  const choose = (id: number) => setUrl({ other: String(id) }, true);
  const step = (by: 1 | -1) => right && choose(beside(cluster, decision.keep, right.id, by));
  const acts = {
    accept: () => {
      const was = decision.state;
      decide.accept(cluster);
      if (was === 'open') onStep('open');
    },
    leave: () => {
      decide.leave(cluster);
      if (decision.state !== 'left') onStep('open');
    },
    judge: (word: 'same' | 'different') => {
      if (!right) return;
      if (decide.judge(cluster, right.id, word)) onStep('open');
      else step(1);
    },
    keep: () => {
      if (!right || !left) return;
      decide.keep(cluster, right.id);
      choose(left.id);
    },
    toggle: () => right && decide.toggle(cluster, right.id),
    undo: () => decide.undo(),
  };
  const writes = (run: () => void) => () => {
    if (may) run();
  };
  useShortcuts([
    { keys: 'a', label: t('duplicates.accept'), run: writes(acts.accept) },
    { keys: 'x', label: t('duplicates.leave'), run: writes(acts.leave) },
    { keys: 's', label: t('duplicates.same'), run: writes(() => acts.judge('same')) },
    { keys: 'n', label: t('duplicates.different'), run: writes(() => acts.judge('different')) },
    { keys: 'b', label: t('duplicates.keepThis'), run: writes(acts.keep) },
    { keys: 't', label: t('duplicates.toggle'), run: writes(acts.toggle) },
    { keys: 'z', label: t('app.undo'), run: writes(acts.undo) },
    { keys: 'ctrl+z', run: writes(acts.undo) },
    { keys: 'j', label: t('duplicates.next'), run: () => onStep(1) },
    { keys: 'k', label: t('duplicates.previous'), run: () => onStep(-1) },
    { keys: 'ArrowRight', label: t('duplicates.nextPicture'), run: () => step(1) },
    { keys: 'ArrowLeft', label: t('duplicates.previousPicture'), run: () => step(-1) },
    ...MODES.map((one, i) => ({
      keys: String(i + 1),
      label: t(`duplicates.mode.${one}`),
      run: () => setMode(one),
    })),
    { keys: 'Escape', label: t('duplicates.back'), run: onClose },
  ]);
  if (!left || !right) return null;
  const said = decide.verdicts.get(keyOf(left.id, right.id));
  const going = goes(cluster, decision);
  const stays = decision.stay.includes(right.id);
  return (
    <div className="flex h-full flex-col">
      <div className="flex min-h-14 shrink-0 items-center border-b border-line bg-surface px-2 md:gap-2">
        <IconButton icon={ArrowLeft} label={t('duplicates.back')} onClick={onClose} />
        <h1 className="min-w-0 truncate font-medium">
          <span className="max-sm:sr-only">{t('duplicates.place', { n: place, total })}</span>
          <span aria-hidden className="tabular-nums sm:hidden">
            {place}/{total}
          </span>
        </h1>
        <IconButton icon={ChevronLeft} label={t('duplicates.previous')} onClick={() => onStep(-1)} />
        <IconButton icon={ChevronRight} label={t('duplicates.next')} onClick={() => onStep(1)} />
        <div className="ml-auto flex items-center gap-1">
          <Segments<Mode>
            label={t('duplicates.mode.label')}
            value={mode}
            options={MODES.map((one, i) => ({
              value: one,
              text: t(`duplicates.mode.${one}`),
              icon: MODE_ICONS[one],
              hint: `${t(`duplicates.mode.${one}`)} (${i + 1})`,
            }))}
            onChange={setMode}
          />
        </div>
      </div>
      <div className="flex min-h-0 flex-1 max-md:flex-col max-md:overflow-auto">
        <div className="flex min-h-0 min-w-0 flex-1 flex-col max-md:h-[68dvh] max-md:flex-none">
          <Compare left={left} right={right} mode={mode} />
          <Strip cluster={cluster} decision={decision} shown={right.id} onChoose={choose} />
        </div>
        <aside
          aria-label={t('duplicates.about')}
          className="flex shrink-0 border-line bg-surface max-md:flex-col-reverse max-md:border-t md:w-88 md:flex-col md:border-l"
        >
          <div
            className="min-h-0 flex-1 p-3 md:overflow-auto"
            tabIndex={0}
            role="region"
            aria-label={t('duplicates.facts')}
          >
            <Relation left={left} right={right} />
            <PairFacts left={left} right={right} />
            <p className="mt-2 text-muted">
              {t('duplicates.suggested', {
                name: nameOf(cluster.members.find((one) => one.keep) ?? left),
                reason: why((cluster.members.find((one) => one.keep) ?? left).reason),
              })}
            </p>
          </div>
          {may && (
            <div className="grid shrink-0 grid-cols-2 gap-2 border-t border-line p-3">
              <Act
                icon={Equal}
                text={t('duplicates.same')}
                keyName="s"
                pressed={said === 'same'}
                onClick={() => acts.judge('same')}
              />
              <Act
                icon={EqualNot}
                text={t('duplicates.different')}
                keyName="n"
                pressed={said === 'different'}
                onClick={() => acts.judge('different')}
              />
              <Act icon={Star} text={t('duplicates.keepThis')} keyName="b" onClick={acts.keep} />
              <Act
                icon={stays ? Trash2 : Ban}
                text={stays ? t('duplicates.letGo') : t('duplicates.letStay')}
                keyName="t"
                onClick={acts.toggle}
              />
              <Act
                icon={Check}
                text={
                  going.length
                    ? t('duplicates.acceptN', { n: going.length, bytes: bytes(savedBy(cluster, decision)) })
                    : t('duplicates.acceptNone')
                }
                keyName="a"
                primary={decision.state !== 'accepted'}
                pressed={decision.state === 'accepted'}
                onClick={acts.accept}
                className="col-span-2"
              />
              <Act
                icon={Ban}
                text={t('duplicates.leave')}
                keyName="x"
                pressed={decision.state === 'left'}
                onClick={acts.leave}
              />
              <Act icon={Undo2} text={t('app.undo')} keyName="z" onClick={acts.undo} />
            </div>
          )}
        </aside>
      </div>
    </div>
  );
}
