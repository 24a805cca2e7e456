import { useMutation } from '@tanstack/react-query';
import { Check, Download, RotateCcw, Shuffle } from 'lucide-react';
import { useState } from 'react';
import { magpie, queries } from '@/app/session';
import { toastError } from '@/app/toasts';
import { number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { cx } from '@/ui/cx';
import { Meter } from '@/ui/Meter';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Ended, Working } from './ModelJob';
import { modelOf, stepOf, useLast, useModels, type Job, type Model } from './models';

function start(model: Model, what: 'use' | 'fetch'): Promise<Job> {
  return magpie.json<Job>('POST', `/api/models/${encodeURIComponent(model.name)}/${what}`, { body: {} });
}

function Card({
  model,
  images,
  busy,
  onUse,
}: {
  model: Model;
  images: number;
  busy: boolean;
  onUse: () => void;
}) {
  const step = stepOf(model);
  const fetching = useMutation({
    mutationFn: () => start(model, 'fetch'),
    onError: toastError,
    onSettled: () => void queries.invalidateQueries({ queryKey: ['models'] }),
  });
  const facts: [string, string][] = [
    [t('admin.models.dims'), model.dims ? number(model.dims) : ''],
    [t('admin.models.licence'), model.licence],
    [t('admin.models.sha'), model.sha256.slice(0, 12)],
  ];
  return (
    <li
      aria-label={model.name}
      className={cx(
        'flex flex-col gap-3 rounded-md border bg-surface p-4',
        model.current ? 'border-accent' : 'border-line',
      )}
    >
      <div className="flex items-center justify-between gap-3">
        <h2 className="text-lg font-semibold">{model.name}</h2>
        <span
          className={cx(
            'inline-flex items-center gap-1',
            model.current ? 'font-medium text-ok' : 'text-muted',
          )}
        >
          {model.current && <Check size={16} aria-hidden />}
          {model.current
            ? t('admin.models.current')
            : model.installed
              ? t('admin.models.installed')
              : t('admin.models.absent')}
        </span>
      </div>
      {model.about && <p>{model.about}</p>}
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
        {facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="truncate">{value}</dd>
            </div>
          ))}
      </dl>
      {model.installed && (
        <div className="flex flex-col gap-1">
          <p className="text-muted">{t('admin.models.ready', { n: model.images, total: images })}</p>
          <Meter
            label={t('admin.models.readyOf', { model: model.name })}
            done={images ? model.images : 1}
            total={images || 1}
          />
        </div>
      )}
      <div className="mt-auto">
        {step === 'fetch' && (
          <Button icon={Download} disabled={busy} busy={fetching.isPending} onClick={() => fetching.mutate()}>
            {t('admin.models.fetch')}
          </Button>
        )}
        {(step === 'use' || step === 'back') && (
          <Button icon={step === 'back' ? RotateCcw : Shuffle} disabled={busy} onClick={onUse}>
            {step === 'back' ? t('admin.models.back') : t('admin.models.use')}
          </Button>
        )}
      </div>
    </li>
  );
}

export function Models() {
  const { data, error, refetch } = useModels();
  const { data: last } = useLast();
  const [using, setUsing] = useState<Model | null>(null);
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-60" />;
  const { models, images, job } = data;
  const current = models.find((one) => one.current)?.name ?? '';
  const unfinished =
    !job && last && ['failed', 'dead', 'cancelled'].includes(last.status) && modelOf(last) !== current;
  return (
    <>
      <p className="max-w-prose text-muted">{t('admin.models.text')}</p>
      {job && <Working key={job.id} job={job} />}
      {unfinished && <Ended key={`${last.id} ${last.status}`} job={last} />}
      <ul className="grid gap-4 md:grid-cols-2">
        {models.map((model) => (
          <Card
            key={model.name}
            model={model}
            images={images}
            busy={job !== null}
            onUse={() => setUsing(model)}
          />
        ))}
      </ul>
      {using && (
        <Confirm
          title={t('admin.models.useTitle', { model: using.name })}
          action={t('admin.models.useNow')}
          look="primary"
          run={async () => {
            await start(using, 'use');
            await queries.invalidateQueries({ queryKey: ['models'] });
          }}
          onClose={() => setUsing(null)}
        >
          <p>{t('admin.models.useText', { n: Math.max(0, images - using.images), current })}</p>
          <p className="text-muted">{t('admin.models.useHint', { current })}</p>
        </Confirm>
      )}
    </>
  );
}
