/* The service's reasons, which are English, in the words of the page. What is not known is shown as it came. */
import { t, type TextKey } from '@/text';

const PARTS: Readonly<Record<string, TextKey>> = {
  'still there': 'duplicates.why.present',
  'most pixels': 'duplicates.why.pixels',
  'no frame or caption': 'duplicates.why.plain',
  'in colour': 'duplicates.why.colour',
  'best format': 'duplicates.why.format',
  'least compressed': 'duplicates.why.compressed',
  'fewest flaws': 'duplicates.why.flaws',
  sharpest: 'duplicates.why.sharpest',
  oldest: 'duplicates.why.oldest',
  'added first': 'duplicates.why.first',
  'the only one': 'duplicates.why.only',
  'the first of the files with these bytes': 'duplicates.why.firstFile',
  'same bytes': 'duplicates.why.bytes',
  're-encoded': 'duplicates.why.recoded',
  resized: 'duplicates.why.resized',
  'without its colours': 'duplicates.why.grey',
  'without its colours, resized': 'duplicates.why.greyResized',
  'without its colours, edited': 'duplicates.why.greyEdited',
  'resized, edited or compressed': 'duplicates.why.resizedEdited',
  'edited or compressed': 'duplicates.why.edited',
  'turned or mirrored': 'duplicates.why.turned',
  cropped: 'duplicates.why.cropped',
  'caption, border or mark': 'duplicates.why.framed',
  tilted: 'duplicates.why.tilted',
  'looks alike': 'duplicates.why.alike',
};

function part(text: string): string {
  const [, words = text, fact = ''] = /^(.*?)( \(.*\))?$/.exec(text) ?? [];
  const key = Object.hasOwn(PARTS, words) ? PARTS[words] : undefined;
  return (key ? t(key) : words) + fact.replace(' x ', ' × ');
}

export function why(reason: string): string {
  return reason.split(', then ').map(part).join(t('duplicates.why.then'));
}
