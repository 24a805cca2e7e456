/* Where the running service is, for the tests that speak to one. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Magpie, type MagpieOptions, type Upload } from '../src/index.js';

export const url = process.env.MAGPIE_URL ?? '';
export const setupToken = process.env.MAGPIE_SETUP_TOKEN ?? '';
export const password = 'correct horse battery';

export async function signedIn(options: MagpieOptions = {}): Promise<Magpie> {
  const magpie = new Magpie({ baseUrl: url, ...options });
  await magpie.login({ username: 'bob', password });
  return magpie;
}

/** JPEG files that are not in the library yet; the first is the example's of README.md. */
export async function pictures(): Promise<Upload[]> {
  const folder = process.env.MAGPIE_PICTURES ?? '';
  const names = (await readdir(folder)).sort().slice(1);
  return Promise.all(
    names.map(async (name) => ({
      name,
      data: new Blob([new Uint8Array(await readFile(path.join(folder, name)))]),
    })),
  );
}
