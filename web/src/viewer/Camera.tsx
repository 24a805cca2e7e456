import { useQuery } from '@tanstack/react-query';
import { ExternalLink } from 'lucide-react';
import type { ReactNode } from 'react';
import { magpie } from '@/app/session';
import { number, t } from '@/text';
import { Skeleton } from '@/ui/Skeleton';
import { cameraOf, exposureOf, focalOf, placeOf, type Exif } from './exif';
import { Row } from './Row';

function rowsOf(exif: Exif): [name: string, value: ReactNode][] {
  const place = placeOf(exif);
  const rows: [string, ReactNode][] = [
    [t('exif.camera'), cameraOf(exif)],
    [t('exif.lens'), exif.lens],
    [t('exif.exposure'), exposureOf(exif)],
    [t('exif.focal'), focalOf(exif)],
    [t('exif.flash'), exif.flash === undefined ? '' : t(exif.flash ? 'exif.fired' : 'exif.notFired')],
    [
      t('exif.place'),
      place && (
        <a
          href={place.url}
          target="_blank"
          rel="noopener noreferrer"
          title={t('exif.map')}
          className="inline-flex items-center gap-1 rounded-md underline"
        >
          {place.text}
          <ExternalLink size={14} aria-label={t('exif.map')} />
        </a>
      ),
    ],
    [
      t('exif.altitude'),
      exif.altitude_m === undefined ? '' : `${number(exif.altitude_m, { maximumFractionDigits: 0 })} m`,
    ],
    [t('exif.artist'), exif.artist],
    [t('exif.copyright'), exif.copyright],
    [t('exif.software'), exif.software],
  ];
  return rows.filter(([, value]) => Boolean(value));
}

/** What the camera wrote into the picture. It is read from the file when somebody looks. */
export function Camera({ id }: { id: number }) {
  const { data, error } = useQuery({
    queryKey: ['metadata', id],
    queryFn: ({ signal }) => magpie.json<{ exif: Exif }>('GET', `/api/images/${id}/metadata`, { signal }),
    staleTime: Infinity,
  });
  const rows = data ? rowsOf(data.exif) : [];
  return (
    <section>
      <h3 className="mb-1 font-medium">{t('exif.title')}</h3>
      {error ? (
        <p className="text-muted">{t('exif.unread')}</p>
      ) : !data ? (
        <Skeleton className="h-16" />
      ) : rows.length === 0 ? (
        <p className="text-muted">{t('exif.none')}</p>
      ) : (
        <dl>
          {rows.map(([name, value]) => (
            <Row key={name} name={name}>
              {value}
            </Row>
          ))}
        </dl>
      )}
    </section>
  );
}
