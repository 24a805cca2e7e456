/* One picture, as large as the window: zoom and pan, the one before and after, what is known of it. */
import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, Download, Info, Trash2, X, ZoomIn, ZoomOut } from 'lucide-react';
import { useRef, useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { magpie, mayWrite, useUser } from '@/app/session';
import { number, t } from '@/text';
import { IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { useModal } from '@/ui/useModal';
import { Facts, type Image } from './Facts';
import { useZoom } from './useZoom';

export interface ViewerProps {
  id: number;
  onClose: () => void;
  onOpen: (id: number) => void;
  onStep?: ((by: 1 | -1) => void) | undefined;
  onDelete?: ((id: number) => void) | undefined;
}

/** What browsers show of the picture itself; of others the service's large thumbnail has to do. */
const SHOWN = new Set(['jpeg', 'png', 'webp', 'gif', 'avif']);

function Picture({ image }: { image: Image }) {
  const frame = useRef<HTMLDivElement>(null);
  const { view, zoom, pan, reset, handlers } = useZoom(frame);
  const [sharp, setSharp] = useState(false);
  const step = (x: number, y: number) => () => pan(x, y);
  useShortcuts([
    { keys: '+', label: t('viewer.zoomIn'), inDialog: true, run: () => zoom(1.4) },
    { keys: '-', label: t('viewer.zoomOut'), inDialog: true, run: () => zoom(1 / 1.4) },
    { keys: '0', label: t('viewer.whole'), inDialog: true, run: reset },
    { keys: 'w', inDialog: true, run: step(0, 60) },
    { keys: 's', inDialog: true, run: step(0, -60) },
    { keys: 'a', inDialog: true, run: step(60, 0) },
    { keys: 'd', inDialog: true, run: step(-60, 0) },
  ]);
  const full = SHOWN.has(image.format);
  // The whole picture is only fetched where the thumbnail would not do.
  const wanted = full && (view.scale > 1.2 || Math.max(image.width, image.height) <= 2400);
  return (
    <div
      ref={frame}
      {...handlers}
      className={cx(
        'relative min-h-0 min-w-0 flex-1 touch-none overflow-hidden',
        view.scale > 1 ? 'cursor-grab active:cursor-grabbing' : 'cursor-zoom-in',
      )}
    >
      <div
        className="absolute inset-2"
        style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      >
        <img
          src={`${image.preview_url}&size=1024`}
          alt={image.title || image.name}
          draggable={false}
          className="absolute inset-0 size-full object-contain"
        />
        {wanted && (
          <img
            src={image.content_url}
            alt=""
            draggable={false}
            onLoad={() => setSharp(true)}
            className={cx('absolute inset-0 size-full object-contain', !sharp && 'opacity-0')}
          />
        )}
      </div>
      <div className="absolute right-3 bottom-3 flex items-center rounded-md border border-line bg-surface">
        <IconButton
          icon={ZoomOut}
          label={t('viewer.zoomOut')}
          disabled={view.scale === 1}
          onClick={() => zoom(1 / 1.4)}
        />
        <button
          type="button"
          onClick={reset}
          className="min-h-9 min-w-14 rounded-md"
          title={t('viewer.whole')}
        >
          {number(view.scale, { style: 'percent' })}
        </button>
        <IconButton icon={ZoomIn} label={t('viewer.zoomIn')} onClick={() => zoom(1.4)} />
      </div>
    </div>
  );
}

export function Viewer({ id, onClose, onOpen, onStep, onDelete }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const may = mayWrite(useUser());
  const [facts, setFacts] = useState(() => matchMedia('(min-width: 768px)').matches);
  const {
    data: image,
    error,
    refetch,
  } = useQuery({
    queryKey: ['image', id],
    queryFn: ({ signal }) => magpie.json<Image>('GET', `/api/images/${id}`, { signal }),
    staleTime: 10 * 60_000,
  });
  useModal(dialog);
  useShortcuts([
    { keys: 'ArrowLeft', label: t('viewer.previous'), inDialog: true, run: () => onStep?.(-1) },
    { keys: 'ArrowRight', label: t('viewer.next'), inDialog: true, run: () => onStep?.(1) },
    { keys: 'i', label: t('viewer.info'), inDialog: true, run: () => setFacts(!facts) },
  ]);
  return (
    <dialog
      ref={dialog}
      aria-label={image ? image.title || image.name : t('viewer.label')}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className="m-0 h-dvh max-h-none w-dvw max-w-none bg-bg p-0"
    >
      <div className="flex h-full flex-col">
        <div className="flex h-14 shrink-0 items-center gap-1 border-b border-line bg-surface px-2">
          <IconButton icon={X} label={t('app.close')} onClick={onClose} />
          <h2 className="min-w-0 flex-1 truncate px-2 font-medium">
            {image ? image.title || image.name : ''}
          </h2>
          <IconButton
            icon={ChevronLeft}
            label={t('viewer.previous')}
            disabled={!onStep}
            onClick={() => onStep?.(-1)}
          />
          <IconButton
            icon={ChevronRight}
            label={t('viewer.next')}
            disabled={!onStep}
            onClick={() => onStep?.(1)}
          />
          {image && (
            <a
              href={image.content_url}
              download={image.name}
              aria-label={t('viewer.download')}
              title={t('viewer.download')}
              className="inline-flex size-9 items-center justify-center rounded-md hover:bg-sunken pointer-coarse:size-11"
            >
              <Download size={18} aria-hidden />
            </a>
          )}
          {may && onDelete && (
            <IconButton icon={Trash2} label={t('viewer.delete')} onClick={() => onDelete(id)} />
          )}
          <IconButton
            icon={Info}
            label={t('viewer.info')}
            aria-pressed={facts}
            onClick={() => setFacts(!facts)}
          />
        </div>
        <div className="flex min-h-0 flex-1 max-md:flex-col">
          {error ? (
            <div className="flex-1 p-6">
              <Trouble error={error} onRetry={() => void refetch()} />
            </div>
          ) : image ? (
            <Picture key={image.id} image={image} />
          ) : (
            <div className="flex-1 p-6">
              <Skeleton className="h-full" />
            </div>
          )}
          {facts && (
            <aside
              aria-label={t('viewer.info')}
              className="shrink-0 overflow-auto border-line bg-surface max-md:h-2/5 max-md:border-t md:w-80 md:border-l"
            >
              {image && <Facts image={image} onOpen={onOpen} />}
            </aside>
          )}
        </div>
      </div>
    </dialog>
  );
}
