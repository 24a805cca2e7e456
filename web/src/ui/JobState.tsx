import type { JobStatus } from '@magpie/client';
import { Ban, CircleCheck, CircleX, Clock, LoaderCircle, OctagonX, type LucideIcon } from 'lucide-react';
import { t } from '@/text';
import { cx } from './cx';

const LOOKS: Record<JobStatus, [LucideIcon, string]> = {
  queued: [Clock, 'text-muted'],
  processing: [LoaderCircle, 'text-accent'],
  completed: [CircleCheck, 'text-ok'],
  failed: [CircleX, 'text-danger'],
  cancelled: [Ban, 'text-muted'],
  dead: [OctagonX, 'text-danger'],
};

/** Where a job stands, by word, sign and colour. */
export function JobState({ status, className }: { status: JobStatus; className?: string }) {
  const [Icon, look] = LOOKS[status];
  return (
    <span className={cx('inline-flex shrink-0 items-center gap-1.5 font-medium', look, className)}>
      <Icon size={16} aria-hidden className={status === 'processing' ? 'animate-spin' : ''} />
      {t(`job.${status}`)}
    </span>
  );
}
