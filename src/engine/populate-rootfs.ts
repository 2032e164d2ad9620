/**
 * What must be true of a container's files before it starts: the `copy` driver needs the whole image in the container's own layer, an
 * empty new volume gets the image's content of its place (docker's copy-up), and a mount with the option `U` belongs to the user of the
 * container.
 */
import type { RuntimeUser } from '../spec/runtime.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './open-engine.ts';

/** @param upper the container's own layer, where it is being made. @param user of the container's command */
export async function populateRootfs(
  engine: Engine,
  record: ContainerRecord,
  upper: string,
  user: Pick<RuntimeUser, 'uid' | 'gid'>,
): Promise<void> {
  const volumes = record.mounts.filter(
    (mount) => mount.type === 'volume' && !mount.options.includes('nocopy'),
  );
  const owned = record.mounts.filter((mount) => mount.options.includes('U'));
  if (record.rootfsDriver !== 'copy' && volumes.length === 0 && owned.length === 0) return;
  const { copyIntoContainer, giveTo } = await import('./copy-up.ts');
  await copyIntoContainer(engine, record, upper, volumes);
  for (const mount of owned) await giveTo(engine, user, mount);
}
