/**
 * Writing a planned container: a directory that is whole before it has its name. Starting the container later reads only what is
 * written here.
 */
import { chmodSync, mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { TsrunError } from '../errors.ts';
import { removeTreeInside } from '../rootless/enter.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerFiles, volumeDirectory } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { stringifyConfig } from './config-json.ts';
import { drawName } from './container-names.ts';
import { lowersOf, upperOf } from './container-rootfs.ts';
import type { ContainerPlan } from './create-container.ts';
import type { Engine } from './open-engine.ts';
import { populateRootfs } from './populate-rootfs.ts';

/** Puts a planned container in place by one rename. @throws ERR_TSRUN_NAME_IN_USE, ERR_TSRUN_STORE */
export async function writeContainer(engine: Engine, plan: ContainerPlan): Promise<void> {
  const { record, config } = plan;
  const directory = temporaryPath(engine.paths, 'container');
  // Paths inside the directory are those of its final place: only the prefix differs.
  const final = containerFiles(engine.paths, record.id);
  const here = (path: string): string => `${directory}${path.slice(final.directory.length)}`;
  for (const path of [final.upper, final.work, final.mountpoint])
    mkdirSync(here(path), { recursive: true, mode: 0o755 });
  const write = (path: string, text: string, mode: number): void => {
    writeFileSync(here(path), text, { mode: 0o600, flag: 'wx' });
    // All users of the container read some of them, whatever the umask of this one is.
    if (mode !== 0o600) chmodSync(here(path), mode);
  };
  write(final.config, stringifyConfig(config), 0o600);
  write(`${final.directory}/container.json`, JSON.stringify(record), 0o600);
  write(final.hostname, `${record.hostname}\n`, 0o644);
  // Their content is the network's, which is chosen at each start; the files are what is mounted.
  write(final.hosts, '', 0o644);
  write(final.resolvConf, '', 0o644);
  takeRootAttributes(engine, record, here(final.upper));
  if (record.mounts.some(({ image }) => image))
    (await import('./image-mounts.ts')).makeImageMountDirectories(record, directory);
  try {
    if (record.userns === 'keep-id') await addOwnUser(engine, plan, here(final.upper));
    const upper = upperOf(engine.paths, record);
    await populateRootfs(engine, record, record.rootfs ? upper : here(upper), config.process.user);
    publish(engine, plan, directory);
  } catch (error) {
    // Another container got the name first, or the disk is full: what was made for this one goes.
    const volumes = record.mounts.filter((mount) => mount.anonymous).map((mount) => mount.name ?? '');
    const made = [directory, ...volumes.map((name) => volumeDirectory(engine.paths, name))];
    removeTreeInside(engine.rootless(), made);
    throw error;
  }
}

/**
 * A name that was drawn was free when it was drawn; of two commands that drew the same one, the second draws again.
 * @throws ERR_TSRUN_NAME_IN_USE for a name that was asked for
 */
function publish(engine: Engine, { record, nameDrawn }: ContainerPlan, directory: string): void {
  for (;;) {
    try {
      engine.containers.publish(directory, record.id, record.name, { passing: record.autoRemove });
      return;
    } catch (error) {
      if (!nameDrawn || !(error instanceof TsrunError && error.code === 'ERR_TSRUN_NAME_IN_USE')) throw error;
      record.name = drawName(engine.containers, record.id);
      writeFileSync(`${directory}/container.json`, JSON.stringify(record));
    }
  }
}

async function addOwnUser(engine: Engine, { record, config }: ContainerPlan, upper: string): Promise<void> {
  const { addOwnUser } = await import('./container-users.ts');
  const lowers = lowersOf(engine.paths, record);
  addOwnUser(lowers, upper, config.process.user, record.workdir);
}

/** The root directory is that of the container's own layer: it looks as the image's does. */
function takeRootAttributes(engine: Engine, record: ContainerRecord, upper: string): void {
  const [top] = lowersOf(engine.paths, record);
  if (top === undefined) return;
  const { mode, atime, mtime } = statSync(top);
  chmodSync(upper, mode & 0o7777);
  utimesSync(upper, atime, mtime);
}
