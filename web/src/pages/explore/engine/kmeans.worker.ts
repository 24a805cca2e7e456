/* k-means where it disturbs nobody. */
import { kMeans } from './kmeans';

onmessage = ({ data }: MessageEvent<{ points: Float32Array; k: number }>) => {
  const clusters = kMeans(data.points, data.k);
  postMessage(clusters, { transfer: [clusters.values.buffer] });
};
