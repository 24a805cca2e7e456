import type { Clusters } from './kmeans';

/** Computed in a worker. */
export function clustersOf(points: Float32Array, k: number, signal: AbortSignal): Promise<Clusters> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./kmeans.worker.ts', import.meta.url), { type: 'module' });
    signal.addEventListener('abort', () => {
      worker.terminate();
      reject(new DOMException('no longer wanted', 'AbortError'));
    });
    worker.onmessage = ({ data }: MessageEvent<Clusters>) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = (event) => {
      worker.terminate();
      reject(new Error(event.message));
    };
    worker.postMessage({ points, k });
  });
}
