import { Undo2 } from 'lucide-react';
import { mayWrite, useUser } from '@/app/session';
import { toastError, undoable } from '@/app/toasts';
import { say, useSaidOf, type Said, type Word } from '@/lib/verdicts';
import { ago, date, t } from '@/text';
import { IconButton } from '@/ui/Button';

/** Gone at once; for good when the notice goes. */
function takeBack({ verdict, image_id, other_id }: Said): void {
  say(null, image_id, other_id)
    .then(() =>
      undoable(
        t('said.takenBack'),
        t('app.undo'),
        () => undefined,
        () => void say(verdict as Word, image_id, other_id).catch(toastError),
      ),
    )
    .catch(toastError);
}

function One({ said, id, onOpen }: { said: Said; id: number; onOpen: (id: number) => void }) {
  const may = mayWrite(useUser());
  const other = said.image_id === id ? said.other_id : said.image_id;
  return (
    <li className="flex min-h-9 items-center gap-2 border-b border-line last:border-0">
      <div className="min-w-0 flex-1 py-1">
        <p>
          {t(`said.is.${said.verdict}`)}
          {other > 0 && (
            <>
              {' '}
              <button type="button" onClick={() => onOpen(other)} className="rounded-md underline">
                {t('search.picture', { id: other })}
              </button>
            </>
          )}
        </p>
        {said.note && <p className="break-words">{said.note}</p>}
        <p className="text-muted" title={date(said.at)}>
          {ago(said.at)}
        </p>
      </div>
      {may && said.verdict !== 'note' && (
        <IconButton icon={Undo2} size={16} label={t('said.takeBack')} onClick={() => takeBack(said)} />
      )}
    </li>
  );
}

/** What people said of the picture, the newest first; nothing where nobody said anything. */
export function History({ id, onOpen }: { id: number; onOpen: (id: number) => void }) {
  const list = useSaidOf(id);
  if (list.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 font-medium">{t('said.title')}</h3>
      <ul>
        {list.map((said) => (
          <One key={`${said.verdict} ${said.other_id} ${said.at}`} said={said} id={id} onOpen={onOpen} />
        ))}
      </ul>
    </section>
  );
}
