/* Where a picture is odd, laid over it. Drawn by the service when somebody wants to see it. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { drawn } from '@/lib/drawn';
import { t } from '@/text';

const REST_MS = 200;

export function Heat({ id, normals, name }: { id: number; normals: string; name: string }) {
  // Not for each one that the pointer only passes.
  const [rested, setRested] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setRested(true), REST_MS);
    return () => clearTimeout(timer);
  }, []);
  const { data: url } = useQuery({
    queryKey: ['heat', id, normals],
    queryFn: ({ signal }) => drawn(id, normals ? { normals } : {}, signal),
    enabled: rested,
    staleTime: Infinity,
  });
  if (!url) return null;
  return (
    <img
      src={url}
      alt={t('anomalies.heatOf', { name })}
      draggable={false}
      className="absolute inset-0 size-full object-cover"
    />
  );
}
