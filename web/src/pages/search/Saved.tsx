import { Link } from '@tanstack/react-router';
import { Bookmark, BookmarkPlus, X } from 'lucide-react';
import { useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { useUser } from '@/app/session';
import { toast } from '@/app/toasts';
import { dropSearch, keepSearch, MOST_NAME, sameSearch, useSearches, type SavedSearch } from '@/lib/searches';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';

/** A browser that has no room left says no. */
function attempt(what: () => void): boolean {
  try {
    what();
    return true;
  } catch {
    toast({ text: t('saved.full'), kind: 'error' });
    return false;
  }
}

function drop(user: number, one: SavedSearch): void {
  if (!attempt(() => dropSearch(user, one.name))) return;
  const run = () => void attempt(() => keepSearch(user, one));
  toast({ text: t('saved.gone', { name: one.name }), action: { label: t('app.undo'), run }, lasts: 8000 });
}

function NameForm({
  name,
  onName,
  onClose,
}: {
  name: string;
  onName: (name: string) => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={t('saved.save')} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget).get('name');
          const text = typeof given === 'string' ? given.trim() : '';
          if (!text) return;
          onName(text);
          onClose();
        }}
      >
        <Field
          label={t('saved.name')}
          name="name"
          defaultValue={name}
          maxLength={MOST_NAME}
          required
          hint={t('saved.nameHint')}
          onFocus={(event) => event.currentTarget.select()}
        />
        <div className="flex justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" look="primary">
            {t('app.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The searches that were kept, and a button for the one that is open. */
export function Saved({
  query,
  suggestion,
  hasFiles,
  onGo,
}: {
  /** What would be kept; null: nothing is asked. */
  query: SavedSearch['query'] | null;
  suggestion: string;
  /** Pictures from elsewhere cannot be kept. */
  hasFiles: boolean;
  onGo: () => void;
}) {
  const user = useUser()?.id ?? 0;
  const list = useSearches();
  const [naming, setNaming] = useState(false);
  const isKept = query !== null && list.some((one) => sameSearch(one.query, query));
  const may = query !== null && !isKept && !hasFiles;
  useShortcuts([{ keys: 'b', label: t('saved.save'), run: () => setNaming(true) }], may);
  if (list.length === 0 && query === null && !hasFiles) return null;
  return (
    <section aria-label={t('saved.title')} className="flex flex-wrap items-center gap-2">
      {list.map((one) => {
        const here = query !== null && !hasFiles && sameSearch(one.query, query);
        return (
          <span
            key={one.name}
            className={cx(
              'inline-flex max-w-full items-center rounded-md border',
              here ? 'border-accent bg-accent-soft' : 'border-line bg-surface',
            )}
          >
            <Link
              to="/search"
              search={one.query}
              onClick={onGo}
              aria-current={here ? 'page' : undefined}
              className="inline-flex min-h-8 min-w-0 items-center gap-2 rounded-md pl-2 pointer-coarse:min-h-11"
            >
              <Bookmark size={14} aria-hidden className="shrink-0 text-muted" />
              <span className="max-w-48 truncate">{one.name}</span>
            </Link>
            <IconButton
              icon={X}
              size={14}
              label={t('app.remove', { what: one.name })}
              className="size-8"
              onClick={() => drop(user, one)}
            />
          </span>
        );
      })}
      {(query !== null || hasFiles) && !isKept && (
        <Button
          look="quiet"
          icon={BookmarkPlus}
          disabled={!may}
          title={hasFiles ? t('saved.noFiles') : undefined}
          aria-keyshortcuts="b"
          onClick={() => setNaming(true)}
        >
          {t('saved.save')}
        </Button>
      )}
      {naming && query && (
        <NameForm
          name={suggestion.slice(0, MOST_NAME)}
          onClose={() => setNaming(false)}
          onName={(name) => {
            if (attempt(() => keepSearch(user, { name, query }))) toast({ text: t('saved.kept', { name }) });
          }}
        />
      )}
    </section>
  );
}
