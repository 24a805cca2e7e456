import { useNavigate } from '@tanstack/react-router';
import { Bookmark, CornerDownLeft, Keyboard, LogOut, Search, SunMoon, type LucideIcon } from 'lucide-react';
import { useId, useState } from 'react';
import { useSearches } from '@/lib/searches';
import { t } from '@/text';
import { cx } from '@/ui/cx';
import { Dialog } from '@/ui/Dialog';
import { menuOf, othersOf } from './page';
import { signOut, useUser } from './session';
import { chooseTheme, type Theme } from './theme';

interface Command {
  text: string;
  icon: LucideIcon;
  run: () => void;
}

const THEMES: readonly [Theme, string][] = [
  ['system', t('nav.themeSystem')],
  ['light', t('nav.themeLight')],
  ['dark', t('nav.themeDark')],
];

function useCommands(words: string, onKeys: () => void): Command[] {
  const navigate = useNavigate();
  const user = useUser();
  const searches = useSearches();
  const go = (to: string, search = {}) => void navigate({ to, search });
  const all: Command[] = [
    ...[...menuOf(user), ...othersOf(user)].map((page) => ({
      text: t('palette.goTo', { page: t(page.title) }),
      icon: page.nav?.icon ?? page.palette ?? Search,
      run: () => go(page.path),
    })),
    ...searches.map(({ name, query }) => ({
      text: t('saved.palette', { name }),
      icon: Bookmark,
      run: () => go('/search', query),
    })),
    ...THEMES.map(([name, text]) => ({
      text: t('palette.theme', { name: text }),
      icon: SunMoon,
      run: () => chooseTheme(name),
    })),
    { text: t('nav.shortcuts'), icon: Keyboard, run: onKeys },
    { text: t('nav.logout'), icon: LogOut, run: () => void signOut() },
  ];
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const hits = all.filter(({ text }) => wanted.every((word) => text.toLocaleLowerCase().includes(word)));
  if (wanted.length === 0) return hits;
  const search = {
    text: t('palette.searchFor', { words: words.trim() }),
    icon: Search,
    run: () => go('/search', { q: words.trim() }),
  };
  return [...hits, search];
}

export default function Palette({ onClose, onKeys }: { onClose: () => void; onKeys: () => void }) {
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  const commands = useCommands(words, onKeys);
  const id = useId();
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  return (
    <Dialog title={t('palette.title')} onClose={onClose} bare>
      <input
        autoFocus
        role="combobox"
        aria-label={t('palette.placeholder')}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={commands.length ? `${id}-${at}` : undefined}
        placeholder={t('palette.placeholder')}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step) {
            event.preventDefault();
            setAt((at + step + commands.length) % Math.max(1, commands.length));
          } else if (event.key === 'Enter') run(commands[at]);
        }}
        className="min-h-12 w-full border-b border-line bg-transparent px-4"
      />
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label={t('palette.title')}
        className="max-h-80 overflow-auto p-2"
      >
        {commands.map((command, i) => (
          <li
            key={command.text}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            onPointerMove={() => setAt(i)}
            onClick={() => run(command)}
            className={cx(
              'flex min-h-10 cursor-pointer items-center gap-3 rounded-md px-3',
              i === at && 'bg-sunken',
            )}
          >
            <command.icon size={16} aria-hidden className="shrink-0 text-muted" />
            <span className="min-w-0 flex-1 truncate">{command.text}</span>
            {i === at && <CornerDownLeft size={14} aria-hidden className="text-muted" />}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
