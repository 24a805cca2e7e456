import { CircleCheck, Clock, ImageOff, TriangleAlert } from 'lucide-react';
import { t } from '@/text';
import { cx } from '@/ui/cx';
import type { Product } from './products';

const LOOKS = {
  none: { icon: ImageOff, look: 'text-muted' },
  queued: { icon: Clock, look: 'text-warn' },
  indexed: { icon: CircleCheck, look: 'text-ok' },
  failed: { icon: TriangleAlert, look: 'text-danger' },
} as const;

/** How far the picture of a product is. */
export function State({ product }: { product: Product }) {
  const { icon: Icon, look } = LOOKS[product.index_state];
  return (
    <span
      title={product.index_error || undefined}
      className={cx('inline-flex min-w-0 items-center gap-1', look)}
    >
      <Icon size={14} aria-hidden className="shrink-0" />
      <span className="truncate">{t(`catalogue.state.${product.index_state}`)}</span>
    </span>
  );
}
