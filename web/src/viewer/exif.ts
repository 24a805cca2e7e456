/* What a camera wrote, in words: 1/125 s, f/2.8, ISO 400. */
import type { operations } from '@magpie/client';
import { number, t } from '@/text';

export type Exif = operations['getMetadata']['responses'][200]['content']['application/json']['exif'];

/** Makers often stand in the name of the model, too: "Canon", "Canon EOS R6". */
export function cameraOf({ make = '', model = '' }: Exif): string {
  const maker = make.split(' ')[0] ?? '';
  return model.toLocaleLowerCase().startsWith(maker.toLocaleLowerCase())
    ? model || make
    : `${make} ${model}`.trim();
}

export function secondsOf(s: number): string {
  if (s < 0.4) return t('exif.seconds', { s: `1/${number(Math.round(1 / s), { useGrouping: false })}` });
  return t('exif.seconds', { s: number(s, { maximumFractionDigits: 1 }) });
}

export function exposureOf(exif: Exif): string {
  const { exposure_s, f_number, iso, exposure_bias_ev: bias } = exif;
  const parts = [
    exposure_s === undefined ? '' : secondsOf(exposure_s),
    f_number === undefined ? '' : `f/${number(f_number, { maximumFractionDigits: 1 })}`,
    iso === undefined ? '' : `ISO ${number(iso, { useGrouping: false })}`,
    bias ? `${number(bias, { maximumFractionDigits: 1, signDisplay: 'always' })} EV` : '',
  ];
  return parts.filter(Boolean).join(' · ');
}

export function focalOf({ focal_length_mm: mm, focal_length_35mm: film }: Exif): string {
  const length = (value: number) => `${number(value, { maximumFractionDigits: 1 })} mm`;
  if (mm === undefined) return film === undefined ? '' : t('exif.film', { length: length(film) });
  if (film === undefined || Math.abs(film - mm) < 1) return length(mm);
  return `${length(mm)} (${t('exif.film', { length: length(film) })})`;
}

export function placeOf({ latitude, longitude }: Exif): { text: string; url: string } | null {
  if (latitude === undefined || longitude === undefined) return null;
  const angle = (value: number, plus: string, minus: string) =>
    `${number(Math.abs(value), { minimumFractionDigits: 4, maximumFractionDigits: 4 })}° ${value < 0 ? minus : plus}`;
  const at = `${latitude.toFixed(5)}/${longitude.toFixed(5)}`;
  return {
    text: `${angle(latitude, t('exif.north'), t('exif.south'))}, ${angle(longitude, t('exif.east'), t('exif.west'))}`,
    url: `https://www.openstreetmap.org/?mlat=${latitude.toFixed(5)}&mlon=${longitude.toFixed(5)}#map=15/${at}`,
  };
}
