/** Images of an archive or a directory of this machine, into the store. */

import { archiveIdentity } from '../image/archive/archive-identity.ts';
import type { FileSet } from '../image/archive/file-set.ts';
import { type LoadedImage, loadImage, packagedImages } from '../image/archive/load-images.ts';
import { openArchive, openArchiveStream } from '../image/archive/open-archive.ts';
import type { PullListener } from '../image/pull/events.ts';
import { hostPlatform, parsePlatform } from '../spec/platform.ts';
import { download, isUrl } from './download.ts';
import type { Engine } from './open-engine.ts';
import { unpackLimits } from './unpack-limits.ts';
import { engineHooks, engineUnpacker } from './unpacker.ts';

export interface LoadArchiveOptions {
  /** A file, a directory, or a URL; undefined: standard input. */
  path: string | undefined;
  platform?: string | undefined;
  signaturePolicy?: string | undefined;
  onEvent: PullListener;
}

/**
 * Loads all images that are there. Those that are before a damaged one are loaded.
 * @throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_INPUT_FILE, ERR_TSRUN_DOWNLOAD, ERR_TSRUN_DOCUMENT, and what unpacking a layer throws
 */
export async function* loadArchive(engine: Engine, options: LoadArchiveOptions): AsyncGenerator<LoadedImage> {
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  using files = await open(engine, options.path);
  const images = await packagedImages(files, platform ?? hostPlatform(process.arch));
  const into = {
    paths: engine.paths,
    unpacker: engineUnpacker(engine),
    hooks: engineHooks(engine),
    platform,
    signaturePolicy: options.signaturePolicy,
    identity: archiveIdentity(files, isRemote(options.path) ? undefined : options.path),
    emit: options.onEvent,
  };
  for (const image of images) yield await loadImage(into, image);
}

const isRemote = (path: string | undefined): path is string => path !== undefined && isUrl(path);

async function open({ paths }: Engine, path: string | undefined): Promise<FileSet> {
  const limits = await unpackLimits();
  if (!isRemote(path)) return await openArchive(paths, path, limits);
  return await openArchiveStream(paths, await download(path), `archive ${path}`, limits);
}
