/* The binary form of GET /api/vectors/map, little-endian: "MPM1", u32 dims, u64 n, n ids (i64),
 * n x dims coordinates (f32). */

export interface PictureMap {
  dims: 2 | 3;
  /** The picture of each point. */
  ids: number[];
  /** dims values for each point, in the order of ids; from -1 to 1. */
  positions: Float32Array;
}

const HEAD = 16;

/** Throws a RangeError for bytes that are no map. */
export function decodeMap(buffer: ArrayBuffer): PictureMap {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEAD || view.getUint32(0) !== 0x4d504d31) throw new RangeError('this is not a map');
  const dims = view.getUint32(4, true);
  if (dims !== 2 && dims !== 3) throw new RangeError(`a map has 2 or 3 dimensions, not ${dims}`);
  // As BigInt, so that no size is rounded to one that fits.
  if (view.getBigUint64(8, true) * BigInt(8 + 4 * dims) !== BigInt(buffer.byteLength - HEAD))
    throw new RangeError('the map is cut off or too long');
  const n = Number(view.getBigUint64(8, true));
  // Two halves rather than a BigInt, which would cost a million points a quarter of a second.
  const idAt = (at: number) => view.getUint32(at, true) + view.getInt32(at + 4, true) * 2 ** 32;
  const ids = Array.from({ length: n }, (_, i) => idAt(HEAD + 8 * i));
  const positions = new Float32Array(n * dims);
  const start = HEAD + 8 * n;
  for (let i = 0; i < positions.length; i++) positions[i] = view.getFloat32(start + 4 * i, true);
  return { dims, ids, positions };
}
