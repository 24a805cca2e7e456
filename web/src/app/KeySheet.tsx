import { useStore } from '@/lib/store';
import { t } from '@/text';
import { Dialog } from '@/ui/Dialog';
import { shortcuts, type Shortcut } from './keys';

const NAMES: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  ' ': '␣',
  Delete: 'Del',
};

function Keys({ keys }: { keys: string }) {
  const parts = keys === ' ' ? [' '] : keys.split(' ');
  return (
    <span className="flex shrink-0 items-center gap-1">
      {parts.map((part, i) => (
        <span key={part} className="contents">
          {i > 0 && <span className="text-muted">{t('keys.then')}</span>}
          <kbd className="rounded border border-line-strong bg-sunken px-1.5 font-sans text-xs">
            {NAMES[part] ?? part.replace('ctrl+', 'Ctrl ').toUpperCase()}
          </kbd>
        </span>
      ))}
    </span>
  );
}

function List({ title, list }: { title: string; list: readonly Shortcut[] }) {
  if (list.length === 0) return null;
  return (
    <section className="mb-4">
      <h3 className="mb-1 font-medium text-muted">{title}</h3>
      <ul>
        {list.map((one) => (
          <li key={one.keys} className="flex min-h-8 items-center justify-between gap-4 border-b border-line">
            <span>{one.label}</span>
            <Keys keys={one.keys} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Everything that a key does where one is now. */
export default function KeySheet({ onClose }: { onClose: () => void }) {
  const all = useStore(shortcuts).filter((one) => one.label !== undefined);
  return (
    <Dialog title={t('keys.title')} onClose={onClose}>
      <List title={t('keys.here')} list={all.filter((one) => !one.everywhere)} />
      <List title={t('keys.everywhere')} list={all.filter((one) => one.everywhere)} />
    </Dialog>
  );
}
