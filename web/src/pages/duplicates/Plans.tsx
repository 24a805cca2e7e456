/* Every plan there was: drafts to be carried out, applied ones to be taken back. */
import { useNavigate } from '@tanstack/react-router';
import { ArrowLeft, ClipboardList } from 'lucide-react';
import { ago, date, number, t } from '@/text';
import { Button, IconButton } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Meter } from '@/ui/Meter';
import { Page } from '@/ui/Page';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { isMoving, usePlans, type Plan } from './plans';

function Row({ plan, onOpen }: { plan: Plan; onOpen: () => void }) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line py-2">
      <span className="min-w-0 flex-1">
        <span className="font-medium">{t('duplicates.plan.title', { id: String(plan.plan_id) })}</span>
        <span className="block text-muted" title={date(plan.at)}>
          {ago(plan.at)}
          {plan.steps > 0 && ` · ${t('duplicates.plan.steps', { n: plan.steps })}`}
          {plan.skipped > 0 && ` · ${t('duplicates.plan.skippedShort', { n: plan.skipped })}`}
        </span>
      </span>
      <span className={plan.status === 'applied' ? 'text-ok' : 'text-muted'}>
        {t(`duplicates.plan.status.${plan.status}`)}
        {isMoving(plan) && plan.steps > 0 && ` ${number(plan.done / plan.steps, { style: 'percent' })}`}
      </span>
      <Button onClick={onOpen}>{t('duplicates.plan.open')}</Button>
      {isMoving(plan) && (
        <div className="basis-full">
          <Meter label={t(`duplicates.plan.status.${plan.status}`)} done={plan.done} total={plan.steps} />
        </div>
      )}
    </li>
  );
}

export function Plans({ onOpen }: { onOpen: (id: number) => void }) {
  const { data, error, refetch } = usePlans();
  const navigate = useNavigate();
  const back = () => void navigate({ to: '/duplicates' });
  return (
    <Page
      title={t('duplicates.plan.list')}
      narrow
      actions={<IconButton icon={ArrowLeft} label={t('duplicates.back')} onClick={back} />}
    >
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-40" />
      ) : data.length === 0 ? (
        <Empty icon={ClipboardList} title={t('duplicates.plan.none')} text={t('duplicates.plan.noneHint')}>
          <Button look="primary" onClick={back}>
            {t('duplicates.back')}
          </Button>
        </Empty>
      ) : (
        <ul>
          {data.map((plan) => (
            <Row key={plan.plan_id} plan={plan} onOpen={() => onOpen(plan.plan_id)} />
          ))}
        </ul>
      )}
    </Page>
  );
}
