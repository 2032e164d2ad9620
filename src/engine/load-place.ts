/** `oci:`, `oci-archive:`, `docker-archive:` and `dir:` where an image is wanted. */

import { placeIdentity } from '../image/archive/archive-identity.ts';
import { loadImage } from '../image/archive/load-images.ts';
import { type LocalPlace, openLocalPlace } from '../image/archive/transport.ts';
import type { PullListener } from '../image/pull/events.ts';
import { hostPlatform, parsePlatform } from '../spec/platform.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './open-engine.ts';
import { engineHooks, engineUnpacker } from './unpacker.ts';

interface LoadPlaceOptions {
  platform?: string | undefined;
  signaturePolicy?: string | undefined;
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}

/** Takes the image at `place` into the store. @throws what {@link openLocalPlace} and loadImage() throw */
export async function loadPlace(
  engine: Engine,
  place: LocalPlace,
  options: LoadPlaceOptions,
): Promise<ImageRecord> {
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  using opened = await openLocalPlace(engine.paths, place, platform ?? hostPlatform(process.arch));
  const { record } = await loadImage(
    {
      paths: engine.paths,
      unpacker: engineUnpacker(engine),
      hooks: engineHooks(engine),
      platform,
      signaturePolicy: options.signaturePolicy,
      identity: placeIdentity(place),
      emit: options.onEvent ?? (() => {}),
      signal: options.signal,
    },
    opened.image,
  );
  return record;
}
