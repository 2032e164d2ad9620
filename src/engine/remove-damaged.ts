/** Removing containers of which nothing is known but their directory: the record is lost, or nobody may read it. */
import { readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeTreeInside } from '../rootless/enter.ts';
import { namesIn } from '../store/names-in.ts';
import {
  containerDirectory,
  namesDirectory,
  runtimeContainerDirectory,
  type StorePaths,
} from '../store/paths.ts';
import { removeObject } from './check/remove-object.ts';
import { killSupervisors } from './kill-supervisors.ts';
import type { Engine } from './open-engine.ts';

/** Ends what runs of it, and removes it with its name and sockets. */
export async function removeDamagedContainer(engine: Engine, id: string): Promise<void> {
  const directory = containerDirectory(engine.paths, id);
  await killSupervisors((path) => path === directory);
  removeObject(engine, directory);
  for (const path of namesOf(engine.paths, id)) rmSync(path, { force: true });
  removeTreeInside(engine.rootless(), [runtimeContainerDirectory(engine.paths, id)]);
}

/** The names that lead to it, as paths. */
function namesOf(paths: StorePaths, id: string): string[] {
  const directory = namesDirectory(paths);
  return namesIn(directory)
    .map((name) => join(directory, name))
    .filter((path) => leadsTo(path, id));
}

function leadsTo(path: string, id: string): boolean {
  try {
    return readlinkSync(path) === id;
  } catch {
    return false; // EINVAL: not a link
  }
}
