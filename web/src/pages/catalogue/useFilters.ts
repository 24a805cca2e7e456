import { useUrl } from '@/lib/url';
import { readFilters, type Filters } from './products';

/** The conditions of the address, and changing some of them. */
export function useFilters(): [Filters, (patch: Partial<Filters>) => void] {
  const [url, setUrl] = useUrl();
  return [
    readFilters(url),
    (patch) =>
      setUrl(Object.fromEntries(Object.entries(patch).map(([name, value]) => [name, value || undefined]))),
  ];
}
