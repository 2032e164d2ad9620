/** An image that is elsewhere: at a registry (`docker://NAME`), in an archive, in a directory. */
import { openLocalPlace, parseLocalPlace } from '../image/archive/transport.ts';
import { type RemoteImage, readRemoteImage } from '../image/remote-image.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { hostPlatform, parsePlatform } from '../spec/platform.ts';
import { formatReference, parseReference } from '../spec/reference.ts';
import type { Engine } from './open-engine.ts';

export interface ImageElsewhere extends RemoteImage {
  /** Full references. */
  names: string[];
}

const REGISTRY = 'docker://';

/** @param name with its transport. @throws ERR_TSRUN_REGISTRY_…, ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_PLATFORM, … */
export async function lookAtImage(
  engine: Engine,
  name: string,
  options: { platform?: string | undefined; access?: RegistryAccess | undefined },
): Promise<ImageElsewhere> {
  const platform =
    options.platform === undefined ? hostPlatform(process.arch) : parsePlatform(options.platform);
  const place = parseLocalPlace(name);
  if (place !== undefined) {
    using opened = await openLocalPlace(engine.paths, place, platform);
    const { source, names } = opened.image;
    return { ...(await readRemoteImage(engine.paths, source, name, platform)), names };
  }
  const reference = parseReference(name.slice(REGISTRY.length));
  const { openRegistry } = await import('../image/pull/registry-source.ts');
  const source = openRegistry(reference, options.access ?? {}, () => {}, undefined);
  try {
    const names = [formatReference(reference)];
    return { ...(await readRemoteImage(engine.paths, source, names[0] ?? name, platform)), names };
  } finally {
    await source.close();
  }
}
