/** An image that is elsewhere, opened: at a registry (`docker://NAME`), in an archive, in a directory. */
import { placeIdentity } from '../image/archive/archive-identity.ts';
import { openLocalPlace, parseLocalPlace } from '../image/archive/transport.ts';
import type { ImagePlace } from '../image/policy/admit-image.ts';
import type { PullListener } from '../image/pull/events.ts';
import type { ImageSource } from '../image/pull/image-source.ts';
import type { RegistrySource } from '../image/pull/registry-source.ts';
import type { RegistryAccess } from '../registry/access.ts';
import type { Platform } from '../spec/image.ts';
import { hostPlatform, parsePlatform } from '../spec/platform.ts';
import { formatReference, parseReference, type Reference, repositoryName } from '../spec/reference.ts';
import type { StorePaths } from '../store/paths.ts';

/** What names of images at a registry begin with. */
export const REGISTRY = 'docker://';

export interface SourceOptions {
  /** Undefined: this machine's. */
  platform?: string | undefined;
  access?: RegistryAccess | undefined;
  onEvent?: PullListener | undefined;
}

export interface OpenedSource extends ImagePlace, AsyncDisposable {
  source: ImageSource;
  /** How messages call the image. */
  label: string;
  /** Full references. */
  names: string[];
  platform: Platform;
}

/**
 * @param name with its transport
 * @returns undefined for a name without one. @throws ERR_TSRUN_REGISTRY_…, ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_PLATFORM, …
 */
export async function openSource(
  paths: StorePaths,
  name: string,
  options: SourceOptions,
): Promise<OpenedSource | undefined> {
  const platform =
    options.platform === undefined ? hostPlatform(process.arch) : parsePlatform(options.platform);
  const place = parseLocalPlace(name);
  if (place !== undefined) {
    const opened = await openLocalPlace(paths, place, platform);
    return {
      ...{ source: opened.image.source, names: opened.image.names, label: name, platform },
      identity: placeIdentity(place),
      [Symbol.asyncDispose]: async () => opened[Symbol.dispose](),
    };
  }
  if (!name.startsWith(REGISTRY)) return undefined;
  const reference = parseReference(name.slice(REGISTRY.length));
  const source = await openRemote(reference, options);
  const label = formatReference(reference);
  return {
    ...{ source, names: [label], label, platform },
    identity: { transport: 'docker', reference },
    signatures: source.signatures,
    [Symbol.asyncDispose]: () => source.close(),
  };
}

/**
 * The first of the places that registries.conf has for `reference` that serves it, mirrors first; close it. Throws what asking the last
 * one throws, ERR_TSRUN_REGISTRY_BLOCKED, ERR_TSRUN_REGISTRIES_CONF.
 */
async function openRemote(
  reference: Reference,
  { access = {}, onEvent = () => {} }: SourceOptions,
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
