/** What a container is to have mounted: where the image wants volumes, what the user asks for, and where nothing may be. */
import { posix } from 'node:path';
import { tsrunError } from '../errors.ts';
import type { ImageConfig } from '../spec/image.ts';
import type { CreateRequest, MountRequest } from './request.ts';

/** Nothing but the kernel's own will do there: a container's set-up, and most programs, would fail on anything else. */
const KERNELS_OWN = ['/proc', '/proc/sys'];

/**
 * The user's mounts, after a volume for each VOLUME of the image where nothing else is mounted.
 * @param inherited of --volumes-from. @throws ERR_TSRUN_USAGE for a place that cannot be mounted over, before any volume is made
 */
export function mountRequests(
  request: Pick<CreateRequest, 'imageVolume' | 'mounts'>,
  config: ImageConfig,
  inherited: readonly Pick<MountRequest, 'destination'>[],
): MountRequest[] {
  const { imageVolume, mounts } = request;
  const volumes = imageVolumes(imageVolume, config, [...mounts, ...inherited]);
  for (const { destination } of volumes) {
    const problem = isForbidden({ destination, source: undefined });
    if (problem !== undefined)
      throw tsrunError('ERR_TSRUN_USAGE', {
        problem: `the image has a VOLUME ${destination}, and ${problem}`,
        hint: '--image-volume ignore   # or mount what else it needs with -v',
      });
  }
  for (const mount of mounts) {
    const problem = isForbidden(mount);
    if (problem !== undefined)
      throw tsrunError('ERR_TSRUN_USAGE', { problem, hint: '-v ./directory:/place/in/container:ro' });
  }
  return [...volumes, ...mounts];
}

/** Why nothing can be mounted there; undefined: it can. `/proc` of the host is the kernel's own, too. */
function isForbidden({
  destination,
  source,
}: Pick<MountRequest, 'destination' | 'source'>): string | undefined {
  if (destination === '/') return 'nothing can be mounted over the root itself';
  if (!KERNELS_OWN.includes(destination) || source === destination) return undefined;
  return `nothing can be mounted over ${destination}: it shows processes and the kernel's parameters`;
}

/** VOLUME of the image: an anonymous volume wherever the user mounts nothing. What has no slash in front is in the root. */
function imageVolumes(
  kind: CreateRequest['imageVolume'],
  config: ImageConfig,
  given: readonly Pick<MountRequest, 'destination'>[],
): MountRequest[] {
  if (kind === 'ignore') return [];
  const type = kind === 'tmpfs' ? 'tmpfs' : 'volume';
  return Object.keys(config.config?.Volumes ?? {})
    .map((place) => posix.resolve('/', place))
    .filter((destination) => !given.some((mount) => mount.destination === destination))
    .map((destination) => ({ type, source: undefined, destination, options: [] }));
}
