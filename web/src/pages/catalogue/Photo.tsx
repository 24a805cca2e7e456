import { ImageOff } from 'lucide-react';
import { Thumb } from '@/grid/Picture';
import { cx } from '@/ui/cx';
import type { Product } from './products';

/** The thumbnail of a product; beside its name, which says what it is. */
export function Photo({ product, className }: { product: Product; className: string }) {
  return product.preview_url ? (
    <Thumb src={product.preview_url} alt="" className={className} />
  ) : (
    <span aria-hidden className={cx('flex items-center justify-center bg-sunken text-muted', className)}>
      <ImageOff size={24} />
    </span>
  );
}
