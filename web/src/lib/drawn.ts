/* Pictures that the service draws of a picture: where it differs, where it is odd. It wants to know who asks, so that
 * no address of them can stand in an <img>; they are small, so that their bytes can. */
import { magpie } from '@/app/session';

function asUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result : '');
    reader.onerror = () => reject(reader.error ?? new Error('unreadable'));
    reader.readAsDataURL(blob);
  });
}

export interface Drawing {
  /** The other picture; absent: where it is odd. */
  with?: number;
  format?: 'png';
  normals?: string;
}

export async function drawn(id: number, query: Drawing, signal: AbortSignal): Promise<string> {
  const { data } = await magpie.api.GET('/api/images/{id}/explain', {
    params: { path: { id }, query },
    parseAs: 'blob',
    signal,
  });
  return asUrl(data as unknown as Blob);
}
