export { Magpie, unwrap } from './client.js';
export type {
  AssetOptions,
  EventOptions,
  FormOptions,
  JsonInit,
  LinkOptions,
  MagpieOptions,
  MapQuery,
  Query,
  UploadOptions,
} from './client.js';
export { MagpieError } from './error.js';
export { isOver, type WaitOptions } from './jobs.js';
export { decodeMap, type PictureMap } from './map.js';
export type * from './model.js';
export { paginate, type PagedPath } from './pages.js';
export type { components, operations, paths } from './schema.js';
export type { Tokens } from './session.js';
export type { OnProgress, Upload } from './upload.js';
