import { useCallback } from 'react';

/** A picture that is a file here and nowhere else yet. */
export function LocalPicture({ file, alt, className }: { file: File; alt: string; className?: string }) {
  const show = useCallback(
    (image: HTMLImageElement | null) => {
      if (!image) return;
      const url = URL.createObjectURL(file);
      image.src = url;
      return () => URL.revokeObjectURL(url);
    },
    [file],
  );
  return <img ref={show} alt={alt} decoding="async" className={className} />;
}
