import { useState, type ReactNode } from 'react';
import { Button } from '@/ui/Button';
import { useTitle } from '@/ui/Page';
import { Trouble } from '@/ui/Trouble';

/** The pages for people who are not signed in: one card, one form. */
export function AuthFrame({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="flex min-h-full items-center justify-center p-4">
      <div className="flex w-full max-w-sm flex-col gap-4 rounded-md border border-line bg-surface p-6 shadow-sm">
        <div className="flex items-center gap-3">
          <img src="/icon.svg" alt="" width={36} height={36} />
          <h1 className="text-lg font-semibold">{title}</h1>
        </div>
        {text && <p className="text-muted">{text}</p>}
        {children}
      </div>
    </main>
  );
}

/** A form that is sent once at a time; what it is refused stands under it, what was typed stays. */
export function AuthForm({
  submit,
  onSubmit,
  children,
}: {
  submit: string;
  onSubmit: (values: Record<string, string>) => Promise<void>;
  children: ReactNode;
}) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const send = async (form: FormData) => {
    setBusy(true);
    setError(null);
    try {
      const all = [...form].map(([name, value]) => [name, typeof value === 'string' ? value : '']);
      await onSubmit(Object.fromEntries(all.filter(([, value]) => value !== '')) as Record<string, string>);
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void send(new FormData(event.currentTarget));
      }}
    >
      {children}
      {error !== null && <Trouble error={error} />}
      <Button type="submit" look="primary" busy={busy}>
        {submit}
      </Button>
    </form>
  );
}
