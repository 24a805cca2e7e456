/* Files out of what was dropped: folders are gone through to their ends. */
import type { Found } from './queue';

const PICTURE = /\.(jpe?g|png|webp|gif|tiff?|avif|heic|heif|ppm|pgm|pbm|pnm)$/i;

export function isPicture(file: File): boolean {
  return file.type.startsWith('image/') || PICTURE.test(file.name);
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A reader gives at most a hundred at a time, and none at the end. */
async function childrenOf(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

async function walk(entry: FileSystemEntry): Promise<Found[]> {
  if (entry.name.startsWith('.')) return [];
  if (entry.isFile) {
    const file = await fileOf(entry as FileSystemFileEntry);
    return [{ file, path: entry.fullPath.replace(/^\//, '') }];
  }
  const found: Found[] = [];
  for (const child of await childrenOf(entry as FileSystemDirectoryEntry)) found.push(...(await walk(child)));
  return found;
}

export function ofList(list: Iterable<File>): Found[] {
  return [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Entries must be taken at once: what was dropped is gone after the event. */
export async function ofDrop(transfer: DataTransfer): Promise<Found[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return ofList(transfer.files);
  return (await Promise.all(entries.map(walk))).flat();
}
