/** Use case: `tsrun diff`: what a container has changed of its image's files. */
import { tsrunError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { isAllItsOwn, lowersOf } from './container-rootfs.ts';
import { type Change, changesOver, readMarks } from './layer-changes.ts';
import type { Engine } from './open-engine.ts';
import { streamTree } from './pack-tree.ts';

/** Files that are there only for something to be mounted on: no change of the container's. */
export const MOUNT_PLACES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'dev', 'proc', 'sys'];

/** @throws ERR_TSRUN_USAGE for a container that is a copy of its image, ERR_TSRUN_PACK */
export async function containerChanges(engine: Engine, record: ContainerRecord): Promise<Change[]> {
  if (record.rootfsDriver === 'copy' && !isAllItsOwn(record)) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${record.name} is a full copy of its image (storage driver copy): what it changed is not known`,
    });
  }
  const { archive, result } = streamTree(engine, { kind: 'changes', record }, { exclude: MOUNT_PLACES });
  const marks = await readMarks(archive);
  await result;
  return await changesOver(engine, marks, {
    directories: lowersOf(engine.paths, record),
    driver: record.rootfsDriver,
  });
}
