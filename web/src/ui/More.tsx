import { useEffect, useRef } from 'react';
import { t } from '@/text';
import { Button } from './Button';

/** The end of what is loaded of a list: reaching it loads on, and so does pressing it. */
export function More({ busy, onMore }: { busy: boolean; onMore: () => void }) {
  const ref = useRef<HTMLDivElement>(null);
  const latest = useRef(onMore);
  useEffect(() => {
    latest.current = onMore;
  });
  useEffect(() => {
    if (busy || !ref.current) return;
    const seen = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) latest.current();
      },
      { rootMargin: '400px' },
    );
    seen.observe(ref.current);
    return () => seen.disconnect();
  }, [busy]);
  return (
    <div ref={ref} className="flex justify-center py-2">
      <Button busy={busy} onClick={onMore}>
        {t('admin.more')}
      </Button>
    </div>
  );
}
