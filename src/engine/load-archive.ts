/** Images of an archive or a directory of this machine, into the store. */

import { archiveIdentity } from '../image/archive/archive-identity.ts';
import { type LoadedImage, loadImage, packagedImages } from '../image/archive/load-images.ts';
import { openArchive } from '../image/archive/open-archive.ts';
import type { PullListener } from '../image/pull/events.ts';
import { hostPlatform, parsePlatform } from '../spec/platform.ts';
import type { Engine } from './open-engine.ts';
import { unpackLimits } from './unpack-limits.ts';
import { engineHooks, engineUnpacker } from './unpacker.ts';

export interface LoadArchiveOptions {
  /** undefined: standard input */
  path: string | undefined;
  platform?: string | undefined;
  signaturePolicy?: string | undefined;
  onEvent: PullListener;
}

/**
 * Loads all images that are there. Those that are before a damaged one are loaded.
 * @throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_INPUT_FILE, ERR_TSRUN_DOCUMENT, and what unpacking a layer throws
 */
export async function* loadArchive(engine: Engine, options: LoadArchiveOptions): AsyncGenerator<LoadedImage> {
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  using files = await openArchive(engine.paths, options.path, await unpackLimits());
  const images = await packagedImages(files, platform ?? hostPlatform(process.arch));
  const into = {
    paths: engine.paths,
    unpacker: engineUnpacker(engine),
    hooks: engineHooks(engine),
    platform,
    signaturePolicy: options.signaturePolicy,
    identity: archiveIdentity(files, options.path),
    emit: options.onEvent,
  };
  for (const image of images) yield await loadImage(into, image);
}
