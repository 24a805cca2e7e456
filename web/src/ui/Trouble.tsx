import { RotateCw, TriangleAlert } from 'lucide-react';
import { describe } from '@/app/errors';
import { t } from '@/text';
import { Button } from './Button';

/** What went wrong, what to do next, and - for whoever has to look it up - the request's number. */
export function Trouble({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const trouble = describe(error);
  return (
    <div role="alert" className="flex gap-3 rounded-md border border-danger bg-danger-soft p-4 text-text">
      <TriangleAlert size={20} aria-hidden className="mt-0.5 shrink-0 text-danger" />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">{trouble.what}</p>
        <p>{trouble.next}</p>
        {trouble.requestId && (
          <details className="mt-1 text-muted">
            <summary>{t('error.details')}</summary>
            <code className="break-all">{t('error.request', { id: trouble.requestId })}</code>
          </details>
        )}
        {onRetry && (
          <Button icon={RotateCw} onClick={onRetry} className="mt-3">
            {t('app.retry')}
          </Button>
        )}
      </div>
    </div>
  );
}
