import { useEffect, type ReactNode } from 'react';
import { t } from '@/text';
import { cx } from './cx';

/** The title of the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${t('app.name')}`;
  }, [title]);
}

/** A page that scrolls as a whole: its heading, what can be done there, and the rest. */
export function Page({
  title,
  actions,
  children,
  narrow,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
  narrow?: boolean;
}) {
  useTitle(title);
  return (
    <div className="h-full overflow-auto">
      <div className={cx('mx-auto flex flex-col gap-6 p-4 md:p-6', narrow ? 'max-w-3xl' : 'max-w-7xl')}>
        <div className="flex flex-wrap items-center justify-between gap-3">
          <h1 className="text-xl font-semibold">{title}</h1>
          {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
        </div>
        {children}
      </div>
    </div>
  );
}
