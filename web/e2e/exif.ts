/* EXIF into a JPEG, as a camera writes it: a TIFF of two folders behind the start of the picture. */
type Entry = readonly [tag: number, value: string | number | readonly [number, number]];

const SHORT = 3;
const ASCII = 2;
const LONG = 4;
const RATIONAL = 5;

function folder(entries: readonly Entry[], at: number): Buffer {
  const head = Buffer.alloc(2 + 12 * entries.length + 4);
  let extra = Buffer.alloc(0);
  head.writeUInt16LE(entries.length, 0);
  entries.forEach(([tag, value], i) => {
    const o = 2 + 12 * i;
    const put = (type: number, count: number, data: Buffer) => {
      head.writeUInt16LE(type, o + 2);
      head.writeUInt32LE(count, o + 4);
      if (data.length <= 4) data.copy(head, o + 8);
      else {
        head.writeUInt32LE(at + head.length + extra.length, o + 8);
        extra = Buffer.concat([extra, data, Buffer.alloc(data.length % 2)]);
      }
    };
    head.writeUInt16LE(tag, o);
    if (typeof value === 'string') {
      const text = Buffer.from(`${value}\0`);
      put(ASCII, text.length, text);
    } else if (typeof value === 'number') {
      const wide = Buffer.alloc(4);
      wide.writeUInt32LE(value);
      put(tag === 0x8769 ? LONG : SHORT, 1, wide);
    } else {
      const two = Buffer.alloc(8);
      two.writeUInt32LE(value[0], 0);
      two.writeUInt32LE(value[1], 4);
      put(RATIONAL, 1, two);
    }
  });
  return Buffer.concat([head, extra]);
}

export function withExif(jpeg: Buffer, first: readonly Entry[], second: readonly Entry[]): Buffer {
  const inner = 8 + folder([...first, [0x8769, 0]], 8).length;
  const tiff = Buffer.concat([
    Buffer.from('II*\0\b\0\0\0', 'latin1'),
    folder([...first, [0x8769, inner]], 8),
    folder(second, inner),
  ]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(2 + 6 + tiff.length, 2);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    head,
    Buffer.from('Exif\0\0', 'latin1'),
    tiff,
    jpeg.subarray(2),
  ]);
}
