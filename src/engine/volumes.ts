/** The volumes of a container: named and anonymous ones, made when first used. */
import { lstatSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import type { RecordedMount } from '../store/container-record.ts';
import { type StorePaths, volumeData } from '../store/paths.ts';
import { createVolume, readVolume, volumeMountOptions, volumeSource } from '../store/volumes.ts';
import { randomHex } from '../sys/random.ts';
import type { MountRequest } from './request.ts';

/**
 * Turns the user's mounts into recorded ones: volumes are made if `make` says so, paths of the host must exist.
 * @param imageMount of `type=image`. @throws ERR_TSRUN_MOUNT_SOURCE
 */
export function resolveMounts(
  paths: StorePaths,
  requests: readonly MountRequest[],
  make: boolean,
  imageMount: (request: MountRequest) => RecordedMount,
): RecordedMount[] {
  return requests.map((request): RecordedMount => {
    const { type, destination, options } = request;
    if (type === 'image') return imageMount(request);
    if (type === 'tmpfs' || type === 'devpts') return { type, source: type, destination, options };
    if (type === 'volume') return recordedVolume(paths, request, make);
    const source = request.source ?? '';
    if (!lstatSync(source, { throwIfNoEntry: false })) throw tsrunError('ERR_TSRUN_MOUNT_SOURCE', { source });
    return { type, source, destination, options };
  });
}

function recordedVolume(paths: StorePaths, request: MountRequest, make: boolean): RecordedMount {
  const anonymous = request.source === undefined;
  const name = request.source ?? randomHex(32);
  const existing = anonymous ? undefined : readVolume(paths, name);
  if (make && !existing) createVolume(paths, { name, anonymous, labels: {}, options: {} });
  const source = existing ? volumeSource(paths, existing) : volumeData(paths, name);
  const options = [...(existing ? volumeMountOptions(existing) : []), ...request.options];
  return {
    type: 'volume',
    name,
    ...(anonymous && { anonymous }),
    source,
    destination: request.destination,
    options,
  };
}
