import { FolderUp, ImageUp, Pause, Play, RotateCw, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { toast } from '@/app/toasts';
import { useStore } from '@/lib/store';
import { bytes, t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Page } from '@/ui/Page';
import { isPicture, ofDrop, ofList } from '@/upload/files';
import { cancel, clearDone, enqueue, pause, queue, retry, type Found, type Item } from '@/upload/queue';
import { asking, chooseAsking } from '@/upload/gate';
import { Gate } from './Gate';
import { List } from './List';

function take(found: readonly Found[]): void {
  const pictures = found.filter(({ file }) => isPicture(file));
  if (pictures.length < found.length)
    toast({ text: t('upload.skipped', { n: found.length - pictures.length }) });
  enqueue(pictures);
}

function Summary({ items, paused }: { items: readonly Item[]; paused: boolean }) {
  const count = (...status: Item['status'][]) => items.filter((item) => status.includes(item.status)).length;
  const open = count('waiting', 'sending');
  const failed = count('failed');
  const asked = count('asking');
  const size = items.reduce((sum, item) => sum + item.file.size, 0);
  const sent = items.reduce(
    (sum, item) =>
      sum + (['sending', 'waiting', 'asking'].includes(item.status) ? item.sent : item.file.size),
    0,
  );
  const speed = items.reduce((sum, item) => sum + (item.status === 'sending' ? item.speed : 0), 0);
  return (
    <div className="flex flex-wrap items-center gap-3">
      <div className="min-w-56 flex-1">
        <p aria-live="polite" className="font-medium">
          {open ? t('upload.open', { n: open }) : t('upload.finished', { n: count('added', 'known') })}
          {asked > 0 && ` ${t('gate.open', { n: asked })}`}
          {failed > 0 && ` ${t('upload.failed', { n: failed })}`}
        </p>
        <progress
          aria-label={t('upload.all')}
          value={sent}
          max={Math.max(1, size)}
          className="my-1 h-2 w-full accent-accent"
        />
        <p className="text-muted tabular-nums">
          {t('upload.of', { sent: bytes(sent), size: bytes(size) })}
          {speed > 0 && ` · ${t('upload.speed', { speed: bytes(speed) })}`}
        </p>
      </div>
      {open > 0 && (
        <Button icon={paused ? Play : Pause} onClick={() => pause(!paused)}>
          {paused ? t('upload.resume') : t('upload.pause')}
        </Button>
      )}
      {failed > 0 && (
        <Button icon={RotateCw} onClick={() => retry()}>
          {t('upload.retry')}
        </Button>
      )}
      {open > 0 ? (
        <Button
          look="danger"
          icon={Trash2}
          onClick={() =>
            cancel(
              items
                .filter((item) => item.status === 'waiting' || item.status === 'sending')
                .map((item) => item.id),
            )
          }
        >
          {t('upload.cancel')}
        </Button>
      ) : (
        <Button onClick={clearDone}>{t('upload.clear')}</Button>
      )}
    </div>
  );
}

export default function UploadPage() {
  const { items, paused } = useStore(queue);
  const asks = useStore(asking);
  const open = items.filter((item) => item.status === 'asking');
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => take(ofList(event.clipboardData?.files ?? []));
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, []);
  const read = (input: HTMLInputElement) => {
    take(ofList(input.files ?? []));
    input.value = '';
  };
  return (
    <Page title={t('nav.upload')} narrow>
      {open.length > 0 && <Gate items={open} />}
      <div
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void ofDrop(event.dataTransfer).then(take);
        }}
        className={cx(
          'flex flex-col items-center gap-4 rounded-md border-2 border-dashed px-6 text-center',
          items.length ? 'py-6' : 'py-16',
          over ? 'border-accent bg-accent-soft' : 'border-line-strong',
        )}
      >
        <ImageUp size={36} strokeWidth={1.5} aria-hidden className="text-muted" />
        <p className="text-muted">{t('upload.drop')}</p>
        <div className="flex flex-wrap justify-center gap-2">
          <Button look="primary" icon={ImageUp} onClick={() => files.current?.click()}>
            {t('upload.chooseFiles')}
          </Button>
          <Button icon={FolderUp} onClick={() => folder.current?.click()}>
            {t('upload.chooseFolder')}
          </Button>
        </div>
        <input
          ref={files}
          type="file"
          multiple
          hidden
          data-pick="files"
          accept="image/*,.heic,.heif,.ppm"
          onChange={(event) => read(event.target)}
        />
        <input
          ref={folder}
          type="file"
          multiple
          hidden
          data-pick="folder"
          {...{ webkitdirectory: '' }}
          onChange={(event) => read(event.target)}
        />
      </div>
      <label className="flex min-h-9 items-start gap-2 pointer-coarse:min-h-11">
        <input
          type="checkbox"
          role="switch"
          checked={asks}
          onChange={(event) => chooseAsking(event.target.checked)}
          className="mt-0.5 size-4"
        />
        <span>
          <span className="block font-medium">{t('gate.switch')}</span>
          <span className="text-muted">{t('gate.switchHint')}</span>
        </span>
      </label>
      {items.length > 0 && (
        <>
          <Summary items={items} paused={paused} />
          <List items={items} />
        </>
      )}
    </Page>
  );
}
