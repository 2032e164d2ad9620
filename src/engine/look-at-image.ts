/** An image that is elsewhere: at a registry (`docker://NAME`), in an archive, in a directory. */
import { openLocalPlace, parseLocalPlace } from '../image/archive/transport.ts';
import type { RegistrySource } from '../image/pull/registry-source.ts';
import { type RemoteImage, readRemoteImage } from '../image/remote-image.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { hostPlatform, parsePlatform } from '../spec/platform.ts';
import { formatReference, parseReference, type Reference } from '../spec/reference.ts';
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
  const source = await openRemote(reference, options.access ?? {});
  try {
    const names = [formatReference(reference)];
    return { ...(await readRemoteImage(engine.paths, source, names[0] ?? name, platform)), names };
  } finally {
    await source.close();
  }
}

/** The registry of `reference`, where and how registries.conf says; close it. */
export async function openRemote(reference: Reference, access: RegistryAccess): Promise<RegistrySource> {
  const [{ openRegistry }, { pullEndpoints }] = await Promise.all([
    import('../image/pull/registry-source.ts'),
    import('../registry/registry-policy.ts'),
  ]);
  const endpoint = (await pullEndpoints(reference, access)).at(-1);
  return openRegistry(endpoint?.reference ?? reference, endpoint?.access ?? access, () => {}, undefined);
}
