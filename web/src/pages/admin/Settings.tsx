import { useQuery } from '@tanstack/react-query';
import { EyeOff, Settings2 } from 'lucide-react';
import { magpie } from '@/app/session';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { cx } from '@/ui/cx';
import { Empty } from '@/ui/Empty';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { SearchInput } from './SearchInput';
import { matches, valueOf, type Setting } from './settings';

function Row({ setting }: { setting: Setting }) {
  const value = valueOf(setting);
  const hidden = value === '***' || setting.value?.includes('***');
  return (
    <li className="grid gap-x-6 gap-y-1 border-b border-line py-3 md:grid-cols-[minmax(0,1fr)_minmax(0,22rem)]">
      <div className="min-w-0">
        <p className="font-mono font-medium">{setting.name}</p>
        <p className="text-muted">{setting.help}</p>
      </div>
      <div className="min-w-0">
        <p className="flex items-center gap-2 font-mono break-all">
          {hidden && <EyeOff size={14} aria-hidden className="shrink-0 text-muted" />}
          {value || <span className="font-sans text-muted">{t('admin.settings.unset')}</span>}
          {hidden && <span className="font-sans text-xs text-muted">{t('admin.settings.hidden')}</span>}
        </p>
        <p className="flex flex-wrap gap-x-2 text-muted">
          <span className={cx(setting.origin !== 'default' && 'rounded bg-accent-soft px-1 text-text')}>
            {t(`admin.settings.origin.${setting.origin}`)}
          </span>
          {setting.origin === 'default' ? (
            <code className="text-xs leading-5 break-all">{setting.environment}</code>
          ) : (
            setting.origin !== 'option' && (
              <code className="text-xs leading-5 break-all">{setting.source}</code>
            )
          )}
        </p>
      </div>
    </li>
  );
}

export function Settings() {
  const [url, setUrl] = useUrl();
  const { data, error, refetch } = useQuery({
    queryKey: ['settings'],
    queryFn: ({ signal }) =>
      magpie.json<{ file: string | null; settings: Setting[] }>('GET', '/api/settings', { signal }),
  });
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-80" />;
  const q = url['q'] ?? '';
  const show = url['show'] === 'set' ? 'set' : 'all';
  const rows = data.settings.filter((one) => (show === 'all' || one.origin !== 'default') && matches(one, q));
  return (
    <>
      <p className="max-w-prose text-muted">
        {t('admin.settings.text')}{' '}
        {data.file ? t('admin.settings.file', { file: data.file }) : t('admin.settings.noFile')}
      </p>
      <div className="flex flex-wrap items-end gap-3">
        <SearchInput
          label={t('admin.settings.search')}
          value={q}
          onChange={(text) => setUrl({ q: text || undefined }, true)}
        />
        <Segments<'all' | 'set'>
          label={t('admin.settings.show')}
          value={show}
          options={[
            { value: 'all', text: t('admin.settings.all') },
            { value: 'set', text: t('admin.settings.set') },
          ]}
          onChange={(next) => setUrl({ show: next === 'all' ? undefined : next })}
        />
      </div>
      {rows.length === 0 ? (
        <Empty icon={Settings2} title={t('admin.settings.none')} text={t('admin.settings.noneHint')} />
      ) : (
        <ul aria-label={t('admin.tab.settings')}>
          {rows.map((setting) => (
            <Row key={setting.name} setting={setting} />
          ))}
        </ul>
      )}
    </>
  );
}
