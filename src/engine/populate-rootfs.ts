/**
 * What must be in a container's own layer before it starts: for the `copy` driver the whole image, and for every driver the image's
 * content of places where an empty new volume is mounted (docker's copy-up).
 */
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './open-engine.ts';

/** @param upper the container's own layer, where it is being made */
export async function populateRootfs(engine: Engine, record: ContainerRecord, upper: string): Promise<void> {
  const volumes = record.mounts.filter(
    (mount) => mount.type === 'volume' && !mount.options.includes('nocopy'),
  );
  if (record.rootfsDriver !== 'copy' && volumes.length === 0) return;
  const { copyIntoContainer } = await import('./copy-up.ts');
  await copyIntoContainer(engine, record, upper, volumes);
}
