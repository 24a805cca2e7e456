/* What does not belong: the oddest first, where it is odd, what is flagged at which rate of false alarms; and pictures
 * that are bad in themselves. */
import { t } from '@/text';
import { useTitle } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import { useUrl } from '@/lib/url';
import { OddOnes } from './OddOnes';
import { Quality } from './Quality';

export default function Anomalies() {
  const [url, setUrl] = useUrl();
  const tab = url['tab'] === 'quality' ? 'quality' : 'odd';
  useTitle(t('anomalies.title'));
  const tabs = (
    <>
      <h1 className="text-xl font-semibold">{t('anomalies.title')}</h1>
      <Segments<'odd' | 'quality'>
        label={t('anomalies.what')}
        value={tab}
        options={[
          { value: 'odd', text: t('anomalies.odd') },
          { value: 'quality', text: t('anomalies.quality') },
        ]}
        onChange={(next) => setUrl({ tab: next === 'odd' ? undefined : next, picture: undefined })}
      />
    </>
  );
  return (
    <div className="flex h-full flex-col gap-3">
      {tab === 'odd' ? (
        <OddOnes heading={tabs} />
      ) : (
        <>
          <div className="flex flex-wrap items-center gap-3 px-4 pt-4 md:px-6 md:pt-6">{tabs}</div>
          <Quality />
        </>
      )}
    </div>
  );
}
