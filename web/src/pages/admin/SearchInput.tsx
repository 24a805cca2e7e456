import { Search } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import { INPUT } from '@/ui/Field';

/** What is typed counts once the typing rests. */
export function SearchInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (text: string) => void;
}) {
  const id = useId();
  const [text, setText] = useState(value);
  const [from, setFrom] = useState(value);
  if (from !== value) {
    setFrom(value);
    setText(value);
  }
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), 250);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <div className="flex min-w-60 flex-1 flex-col gap-1 max-md:basis-full md:max-w-sm">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <div className="relative">
        <Search
          size={16}
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-muted"
        />
        <input
          id={id}
          type="search"
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
          className={`${INPUT} pl-9`}
        />
      </div>
    </div>
  );
}
