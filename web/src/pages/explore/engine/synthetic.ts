/* Points that are made up, to see how the explorer does with many of them: clusters of various sizes, and some that
 * belong to none. The same for the same number. */
import { Cloud } from './cloud';
import { randomOf } from './random';

export function syntheticCloud(n: number, dims: 2 | 3): Cloud {
  const random = randomOf(7);
  // Near enough to a normal distribution for the eye.
  const bell = () => random() + random() + random() - 1.5;
  const clusters = Array.from({ length: 24 }, () => ({
    at: [bell() * 0.55, bell() * 0.55, bell() * 0.55] as const,
    wide: 0.02 + 0.09 * random() ** 2,
  }));
  const ids = new Float64Array(n);
  const positions = new Float32Array(n * dims);
  for (let i = 0; i < n; i++) {
    ids[i] = i + 1;
    const own = clusters[Math.floor(random() ** 1.5 * clusters.length)];
    for (let d = 0; d < dims; d++) {
      const value = !own || random() < 0.02 ? bell() * 0.6 : (own.at[d] ?? 0) + bell() * own.wide;
      positions[i * dims + d] = Math.max(-1, Math.min(1, value));
    }
  }
  return new Cloud(ids, positions, dims);
}
