/* Many clusters by one rule: what it would do is counted while it is made. */
import { useState } from 'react';
import { bytes, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { INPUT } from '@/ui/Field';
import { Meter } from '@/ui/Meter';
import { RangeField } from '@/ui/RangeField';
import { ruled, sumOf, type Cluster, type Decision, type Keeper, type Rule } from './decide';
import type { Decide } from './useDecide';

const KEEPERS = ['suggested', 'pixels', 'bytes', 'oldest', 'newest'] as const;

export function Rules({
  clusters,
  total,
  threshold,
  decide,
  onAccept,
  onClose,
}: {
  clusters: readonly Cluster[];
  /** More than there are: the others are on their way. */
  total: number;
  threshold: number;
  decide: Decide;
  onAccept: (patch: Record<string, Decision>) => void;
  onClose: () => void;
}) {
  const [rule, setRule] = useState<Rule>({
    exact: false,
    score: Math.max(0.9, threshold),
    keeper: 'suggested',
  });
  const [all, setAll] = useState(false);
  const concerned = clusters.filter((cluster) => all || decide.of(cluster).state === 'open');
  const decided = (cluster: Cluster) => ruled(cluster, rule, decide.isDifferent);
  const sum = sumOf(concerned, decided);
  const loading = clusters.length < total;
  const accept = () => {
    const found = concerned.flatMap((cluster) => {
      const decision = decided(cluster);
      return decision ? [[cluster.key, decision] as const] : [];
    });
    onAccept(Object.fromEntries(found));
  };
  return (
    <Dialog title={t('duplicates.rule.title')} onClose={onClose}>
      <div className="flex flex-col gap-4">
        <RangeField
          label={t('duplicates.rule.score')}
          shown={number(rule.score, { style: 'percent' })}
          min={0.5}
          max={1}
          step={0.01}
          value={rule.score}
          onChange={(score) => setRule({ ...rule, score })}
        />
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            checked={rule.exact}
            onChange={(event) => setRule({ ...rule, exact: event.target.checked })}
            className="mt-0.5 size-5 shrink-0"
          />
          <span>
            {t('duplicates.rule.exact')}
            <span className="block text-muted">{t('duplicates.rule.exactHint')}</span>
          </span>
        </label>
        <label className="flex flex-col gap-1">
          <span className="font-medium">{t('duplicates.rule.keep')}</span>
          <select
            value={rule.keeper}
            onChange={(event) => setRule({ ...rule, keeper: event.target.value as Keeper })}
            className={INPUT}
          >
            {KEEPERS.map((keeper) => (
              <option key={keeper} value={keeper}>
                {t(`duplicates.keeper.${keeper}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={all}
            onChange={(event) => setAll(event.target.checked)}
            className="size-5 shrink-0"
          />
          {t('duplicates.rule.all')}
        </label>
        <div className="min-h-16 rounded-md bg-sunken p-3" role="status">
          {loading ? (
            <>
              <p className="mb-2">{t('duplicates.rule.loading', { n: clusters.length, total })}</p>
              <Meter label={t('duplicates.reading')} done={clusters.length} total={total} />
            </>
          ) : (
            <>
              <p className="font-medium">{t('duplicates.rule.clusters', { n: sum.clusters })}</p>
              <p>{t('duplicates.rule.result', { n: sum.pictures, bytes: bytes(sum.bytes) })}</p>
            </>
          )}
        </div>
        <p className="text-muted">{t('duplicates.rule.hint')}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button look="primary" disabled={loading || sum.clusters === 0} onClick={accept}>
            {t('duplicates.rule.do')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
