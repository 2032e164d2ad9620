/** Named and anonymous volumes: volumes/<name>/{volume.json,_data}, made when first used. */
import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { writeDurably } from '../store/atomic-write.ts';
import type { RecordedMount } from '../store/container-record.ts';
import { type StorePaths, volumeData, volumeDirectory, volumesDirectory } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { randomHex } from '../sys/random.ts';
import type { MountRequest } from './request.ts';

/** The data directory of the volume `name`, made unless it is there. Two makers at once get one volume. */
export function ensureVolume(paths: StorePaths, name: string, anonymous: boolean): string {
  const data = volumeData(paths, name);
  if (existsSync(data)) return data;
  const making = temporaryPath(paths, 'volume');
  mkdirSync(`${making}/_data`, { recursive: true, mode: 0o755 });
  writeDurably(
    `${making}/volume.json`,
    JSON.stringify({ name, anonymous, createdAt: new Date().toISOString() }),
  );
  mkdirSync(volumesDirectory(paths), { recursive: true, mode: 0o700 });
  try {
    renameSync(making, volumeDirectory(paths, name));
  } catch (error) {
    if (!existsSync(data)) throw error; // else: somebody made it meanwhile
  }
  return data;
}

/**
 * Turns the user's mounts into recorded ones: volumes are made if `make` says so, paths of the host must exist.
 * @throws ERR_TSRUN_MOUNT_SOURCE
 */
export function resolveMounts(
  paths: StorePaths,
  requests: readonly MountRequest[],
  make: boolean,
): RecordedMount[] {
  return requests.map((request): RecordedMount => {
    const { type, destination, options } = request;
    if (type === 'tmpfs') return { type, source: 'tmpfs', destination, options };
    if (type === 'volume') {
      const anonymous = request.source === undefined;
      const name = request.source ?? randomHex(32);
      const source = make ? ensureVolume(paths, name, anonymous) : volumeData(paths, name);
      return { type, name, ...(anonymous && { anonymous }), source, destination, options };
    }
    const source = request.source ?? '';
    if (!lstatSync(source, { throwIfNoEntry: false })) throw tsrunError('ERR_TSRUN_MOUNT_SOURCE', { source });
    return { type, source, destination, options };
  });
}
