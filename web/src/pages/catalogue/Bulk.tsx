import { RefreshCw, Trash2, X } from 'lucide-react';
import { t } from '@/text';
import { Button, IconButton } from '@/ui/Button';

/** What can be done with all that are chosen. */
export function Bulk({
  n,
  onClear,
  onFetch,
  onRemove,
}: {
  n: number;
  onClear: () => void;
  onFetch: () => void;
  onRemove: () => void;
}) {
  return (
    <div
      role="toolbar"
      aria-label={t('catalogue.bulk.label')}
      className="absolute inset-x-3 bottom-3 z-30 mx-auto flex max-w-xl items-center gap-2 rounded-md border border-line-strong bg-surface p-2 shadow-lg"
    >
      <IconButton icon={X} label={t('catalogue.bulk.clear')} onClick={onClear} />
      <span aria-live="polite" className="min-w-0 flex-1 truncate font-medium">
        {t('catalogue.bulk.chosen', { n })}
      </span>
      <Button icon={RefreshCw} aria-label={t('catalogue.bulk.fetch')} onClick={onFetch}>
        <span className="max-sm:hidden">{t('catalogue.bulk.fetch')}</span>
      </Button>
      <Button look="danger" icon={Trash2} onClick={onRemove}>
        {t('catalogue.bulk.remove')}
      </Button>
    </div>
  );
}
