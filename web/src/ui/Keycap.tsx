/** The key that does it too. Not for fingers, nor for screen readers, which get aria-keyshortcuts. */
export function Keycap({ children }: { children: string }) {
  return (
    <kbd
      aria-hidden
      className="inline-flex min-w-5 justify-center rounded border border-line-strong bg-sunken px-1 font-sans text-xs text-muted max-sm:hidden pointer-coarse:hidden"
    >
      {children}
    </kbd>
  );
}
