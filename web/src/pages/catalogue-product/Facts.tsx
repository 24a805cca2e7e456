/* A product for those who only look. */
import { priceText, type Product } from '@/pages/catalogue/products';
import { t } from '@/text';

export function Facts({ product }: { product: Product }) {
  const { external_id, category, description, image_url, metadata } = product;
  const rows = [
    [t('catalogue.field.external_id'), external_id],
    [t('catalogue.field.category'), category],
    [t('catalogue.field.price'), priceText(product)],
    [t('catalogue.field.description'), description],
    [t('catalogue.field.image_url'), image_url],
    ...Object.entries(metadata).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
      {rows
        .filter(([, value]) => value !== '')
        .map(([name, value], i) => (
          <div key={i} className="contents">
            <dt className="max-w-48 truncate text-muted" title={name}>
              {name}
            </dt>
            <dd className="min-w-0 break-words whitespace-pre-line">{value}</dd>
          </div>
        ))}
    </dl>
  );
}
