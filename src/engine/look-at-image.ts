/** An image that is elsewhere: at a registry (`docker://NAME`), in an archive, in a directory. */
import { openLocalPlace, parseLocalPlace } from '../image/archive/transport.ts';
import type { PullListener } from '../image/pull/events.ts';
import type { RegistrySource } from '../image/pull/registry-source.ts';
import { type RemoteImage, readRemoteImage } from '../image/remote-image.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { hostPlatform, parsePlatform } from '../spec/platform.ts';
import { formatReference, parseReference, type Reference, repositoryName } from '../spec/reference.ts';
import type { Engine } from './open-engine.ts';

/** What of an image `inspect --raw` and `--config` print: a document as it is. */
export type DocumentKind = 'root' | 'config';

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

/**
 * The first of the places that registries.conf has for `reference` that serves it, mirrors first; close it. Throws what asking the last
 * one throws, ERR_TSRUN_REGISTRY_BLOCKED, ERR_TSRUN_REGISTRIES_CONF.
 */
export async function openRemote(
  reference: Reference,
  access: RegistryAccess,
  onEvent: PullListener = () => {},
): Promise<RegistrySource> {
  const [{ openRegistry }, { pullEndpoints }, { isOfSource, reasonOf }] = await Promise.all([
    import('../image/pull/registry-source.ts'),
    import('../registry/registry-policy.ts'),
    import('../image/pull/pull-image.ts'),
  ]);
  const endpoints = await pullEndpoints(reference, access);
  for (const endpoint of endpoints) {
    const source = openRegistry(endpoint.reference, endpoint.access, () => {}, undefined);
    try {
      if (endpoint.isMirror) await source.document(reference.digest);
      return source;
    } catch (error) {
      await source.close();
      if (!isOfSource(error)) throw error;
      const text = `mirror ${repositoryName(endpoint.reference)} will not do: ${reasonOf(error)}; trying the next`;
      onEvent({ type: 'warning', text });
    }
  }
  throw new Error('there is always a registry itself');
}
