/** Use cases: `tsrun volume create`, `rm`, `prune`. */

import { renameSync, statSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { removeTreeInside } from '../rootless/enter.ts';
import { logEvent } from '../store/event-log.ts';
import { volumeDirectory } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { createVolume, readVolume, type VolumeRecord, type VolumeRequest } from '../store/volumes.ts';
import type { Engine } from './open-engine.ts';
import { removeContainer } from './remove-container.ts';
import { volumeUsers } from './volume-users.ts';

const has = (there: Record<string, string>, asked: Record<string, string>): boolean =>
  Object.entries(asked).every(([key, text]) => there[key] === text);

/**
 * One that is there already is as good as a new one, as in docker, if it has the labels and options that are asked for.
 * @throws ERR_TSRUN_VOLUME_EXISTS, ERR_TSRUN_MOUNT_SOURCE
 */
export function makeVolume(engine: Engine, request: VolumeRequest, ignoreExisting: boolean): void {
  const { device } = request.options;
  if (device !== undefined && !statSync(device, { throwIfNoEntry: false })) {
    throw tsrunError('ERR_TSRUN_MOUNT_SOURCE', { source: device });
  }
  if (createVolume(engine.paths, request) || ignoreExisting) return;
  const there = readVolume(engine.paths, request.name);
  if (there && has(there.options, request.options) && has(there.labels, request.labels)) return;
  throw tsrunError('ERR_TSRUN_VOLUME_EXISTS', { name: request.name });
}

/** From the rename on there is no such volume, whatever happens; its files may belong to subordinate ids. */
function destroyVolume(engine: Engine, name: string): void {
  const trash = temporaryPath(engine.paths, 'removed');
  renameSync(volumeDirectory(engine.paths, name), trash);
  removeTreeInside(engine.rootless(), [trash]);
  logEvent(engine.paths, { status: 'remove', type: 'volume', name });
}

/** @param force remove the containers that use it, too, running ones as well. @throws ERR_TSRUN_VOLUME_IN_USE */
export async function removeVolume(engine: Engine, volume: VolumeRecord, force: boolean): Promise<void> {
  const users = volumeUsers(engine).get(volume.name) ?? [];
  if (users.length > 0 && !force) {
    const containers = users.map(({ name }) => name);
    throw tsrunError('ERR_TSRUN_VOLUME_IN_USE', { name: volume.name, containers });
  }
  for (const view of users) await removeContainer(engine, view, { force: true, volumes: false });
  destroyVolume(engine, volume.name);
}

/** Removes those of `volumes` that no container uses. @returns their names */
export function pruneVolumes(engine: Engine, volumes: readonly VolumeRecord[]): string[] {
  const users = volumeUsers(engine);
  const unused = volumes.filter(({ name }) => !users.has(name)).map(({ name }) => name);
  for (const name of unused) destroyVolume(engine, name);
  return unused;
}
