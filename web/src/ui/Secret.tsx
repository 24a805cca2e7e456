import { Check, Copy } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import { t } from '@/text';
import { Button } from './Button';
import { INPUT } from './Field';

/** Something to be carried away now: it is not shown again. */
export function Secret({ label, value, hint }: { label: string; value: string; hint: string }) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      // No clipboard over plain HTTP: the text is selected, and the keys of the system copy it.
    }
  };
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          ref={field}
          readOnly
          value={value}
          aria-describedby={`${id}-hint`}
          onFocus={(event) => event.currentTarget.select()}
          className={`${INPUT} font-mono`}
        />
        <Button look="primary" icon={copied ? Check : Copy} onClick={() => void copy()}>
          {copied ? t('account.copied') : t('account.copy')}
        </Button>
      </div>
      <p id={`${id}-hint`} className="text-muted">
        {hint}
      </p>
      <span role="status" className="sr-only">
        {copied ? t('account.copied') : ''}
      </span>
    </div>
  );
}
