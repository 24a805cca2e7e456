import type { JobLine } from '@magpie/client';
import { Download, WrapText } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { save } from '@/lib/save';
import { date, number, t } from '@/text';
import { IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Trouble } from '@/ui/Trouble';

const LEVELS: Record<string, string> = { error: 'text-danger', warn: 'text-warn', debug: 'text-muted' };
const AT_END = 24;

export function textOf(lines: readonly JobLine[]): string {
  return lines.map(({ at, level, text }) => `${at ?? ''} ${level} ${text}\n`).join('');
}

/** Stays at the end while somebody is there; who reads further up is left alone. */
export function Log({
  lines,
  open,
  error,
  name,
}: {
  lines: readonly JobLine[];
  open: boolean;
  error: unknown;
  name: string;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const [wraps, setWraps] = useState(true);
  useEffect(() => {
    const box = frame.current;
    if (box && follows) box.scrollTop = box.scrollHeight;
  }, [lines, follows]);
  return (
    <section aria-labelledby="log-title" className="min-w-0">
      <div className="mb-1 flex items-center justify-between gap-3">
        <h2 id="log-title" className="font-medium">
          {t('work.log.title')}{' '}
          <span className="font-normal text-muted">
            {open ? t('work.log.live') : t('work.log.lines', { n: lines.length })}
          </span>
        </h2>
        <div className="flex">
          <IconButton
            icon={WrapText}
            label={t('work.log.wrap')}
            aria-pressed={wraps}
            onClick={() => setWraps(!wraps)}
            className={cx(wraps && 'bg-sunken')}
          />
          <IconButton
            icon={Download}
            label={t('work.log.save')}
            disabled={lines.length === 0}
            onClick={() => save(name, 'text/plain', textOf(lines))}
          />
        </div>
      </div>
      <div
        ref={frame}
        role="log"
        aria-labelledby="log-title"
        tabIndex={0}
        onScroll={({ currentTarget: box }) =>
          setFollows(box.scrollHeight - box.scrollTop - box.clientHeight < AT_END)
        }
        className="max-h-[60dvh] min-h-40 overflow-auto rounded-md border border-line bg-surface p-3 font-mono text-xs leading-5"
      >
        {lines.length === 0 ? (
          <p className="font-sans text-sm text-muted">{t(open ? 'work.log.wait' : 'work.log.none')}</p>
        ) : (
          <ol>
            {lines.map((line) => (
              <li
                key={line.id}
                className={cx('flex gap-3', wraps ? 'break-words whitespace-pre-wrap' : 'whitespace-pre')}
              >
                <time dateTime={line.at ?? undefined} className="shrink-0 text-muted select-none">
                  {line.at ? date(line.at, { timeStyle: 'medium' }) : number(line.id)}
                </time>
                <span className={cx('min-w-0', LEVELS[line.level])}>
                  {line.level !== 'info' && `${line.level}: `}
                  {line.text}
                </span>
              </li>
            ))}
          </ol>
        )}
      </div>
      {error !== null && (
        <div className="mt-3">
          <Trouble error={error} />
        </div>
      )}
    </section>
  );
}
