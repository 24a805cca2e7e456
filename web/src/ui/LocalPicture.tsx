import { useCallback } from 'react';

/** A picture that is a file here and nowhere else yet. */
export function LocalPicture({
  file,
  alt,
  className,
  onLoad,
  onError,
}: {
  file: File;
  alt: string;
  className?: string;
  onLoad?: (image: HTMLImageElement) => void;
  /** The browser does not show this kind of picture. */
  onError?: () => void;
}) {
  const show = useCallback(
    (image: HTMLImageElement | null) => {
      if (!image) return;
      const url = URL.createObjectURL(file);
      image.src = url;
      return () => URL.revokeObjectURL(url);
    },
    [file],
  );
  return (
    <img
      ref={show}
      alt={alt}
      decoding="async"
      onLoad={(event) => onLoad?.(event.currentTarget)}
      onError={onError}
      className={className}
    />
  );
}
