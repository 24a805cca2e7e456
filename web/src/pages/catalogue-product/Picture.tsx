/* The picture of a product: shown, put there by dropping, pasting or choosing a file, fetched from its address. */
import { ImageUp, RefreshCw, Sparkles } from 'lucide-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { toast } from '@/app/toasts';
import type { Product } from '@/pages/catalogue/products';
import { State } from '@/pages/catalogue/State';
import { t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { LocalPicture } from '@/ui/LocalPicture';
import { isPicture } from '@/upload/files';

export interface PictureProps {
  product: Product | null;
  /** A file that is on its way, or waits until there is a product. */
  file: File | null;
  busy: boolean;
  may: boolean;
  onFile: (file: File) => void;
  onFetch: () => void;
  onOpen: (image: number) => void;
}

function usePaste(may: boolean, onFile: (file: File) => void) {
  const latest = useRef(onFile);
  useEffect(() => {
    latest.current = onFile;
  });
  useEffect(() => {
    if (!may) return;
    const onPaste = (event: ClipboardEvent) => {
      const file = [...(event.clipboardData?.files ?? [])].find(isPicture);
      if (!file) return;
      event.preventDefault();
      latest.current(file);
    };
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, [may]);
}

function Shown({ product, file, busy, onOpen }: Omit<PictureProps, 'may' | 'onFile' | 'onFetch'>) {
  const image = 'absolute inset-0 size-full object-contain';
  const name = product?.title ?? '';
  if (file) return <LocalPicture file={file} alt={file.name} className={cx(image, busy && 'opacity-60')} />;
  if (!product?.preview_url)
    return <span className="px-6 text-center text-muted">{t('catalogue.noPicture')}</span>;
  return (
    <button
      type="button"
      aria-label={t('catalogue.openPicture', { name })}
      onClick={() => onOpen(Number(product.image_id))}
      className="absolute inset-0 cursor-zoom-in rounded-md"
    >
      <img src={`${product.preview_url}&size=1024`} alt="" className={image} />
    </button>
  );
}

export function Picture(props: PictureProps) {
  const { product, busy, may, onFile, onFetch } = props;
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  usePaste(may, onFile);
  const take = (files: FileList | null) => {
    const file = [...(files ?? [])].find(isPicture);
    if (!may || !files?.length) return;
    if (file) onFile(file);
    else toast({ text: t('catalogue.notAPicture'), kind: 'error' });
  };
  return (
    <div className="flex flex-col gap-3">
      <div
        onDragOver={(event) => {
          event.preventDefault();
          setOver(may);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer.files);
        }}
        aria-busy={busy}
        data-drop
        className={cx(
          'relative flex aspect-square items-center max-md:max-h-72 justify-center overflow-hidden rounded-md bg-sunken',
          over && 'outline-2 outline-accent',
        )}
      >
        <Shown {...props} />
      </div>
      {product && (
        <p role="status">
          <State product={product} />
          {product.index_state === 'failed' && (
            <span className="block break-words text-muted">{product.index_error}</span>
          )}
        </p>
      )}
      {may && <p className="text-muted">{t('catalogue.pictureHint')}</p>}
      <div className="flex flex-wrap gap-2">
        {may && (
          <>
            <Button icon={ImageUp} busy={busy} onClick={() => input.current?.click()}>
              {t('catalogue.choosePicture')}
            </Button>
            <input
              ref={input}
              type="file"
              accept="image/*"
              hidden
              data-pick="picture"
              onChange={(event) => {
                take(event.target.files);
                event.target.value = '';
              }}
            />
            {product?.image_url && (
              <Button icon={RefreshCw} onClick={onFetch}>
                {t('catalogue.fetchAgain')}
              </Button>
            )}
          </>
        )}
        {product?.image_id && (
          <Link
            to="/catalogue"
            search={{ product: String(product.id) }}
            className="inline-flex min-h-9 items-center gap-2 rounded-md border border-line bg-surface px-3 font-medium hover:bg-sunken pointer-coarse:min-h-11"
          >
            <Sparkles size={16} aria-hidden />
            {t('catalogue.similar')}
          </Link>
        )}
      </div>
    </div>
  );
}
