/** Limits of a container that runs: written to its cgroup at once, all of them or none. */
import { existsSync, writeFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { changedFiles } from '../launch/cgroup/limit-changes.ts';
import type { Controller, LimitFile } from '../launch/cgroup/limit-files.ts';
import type { RuntimeResources } from '../spec/runtime.ts';

interface Write extends LimitFile {
  path: string;
}

/**
 * @param directories the container's cgroups
 * @returns controllers that its cgroups do not have
 * @throws ERR_TSRUN_UPDATE when the kernel does not take one: the limits are as before
 */
export function writeLimits(
  container: string,
  directories: readonly string[],
  before: RuntimeResources,
  after: RuntimeResources,
): Controller[] {
  const { writes, missing } = located(directories, before, after);
  try {
    writeAll(writes);
  } catch (error) {
    restore(located(directories, after, before).writes);
    const { name, value } = writes.find(({ path }) => path === (error as NodeJS.ErrnoException).path) ?? {};
    throw tsrunError('ERR_TSRUN_UPDATE', { container, limit: `${name} = ${value}` }, error);
  }
  return missing;
}

/** Which file of which hierarchy; v1 and v2 call them differently, so that what is there says which it is. */
function located(
  directories: readonly string[],
  before: RuntimeResources,
  after: RuntimeResources,
): { writes: Write[]; missing: Controller[] } {
  const place = (file: LimitFile): Write[] =>
    directories
      .map((directory) => `${directory}/${file.name}`)
      .filter((path) => existsSync(path))
      .map((path) => ({ ...file, path }));
  const versions = [1, 2] as const;
  const writes = versions.flatMap((version) => changedFiles(before, after, version).flatMap(place));
  const needed = changedFiles(before, after, 2).map(({ controller }) => controller);
  const had = new Set(writes.map(({ controller }) => controller));
  return { writes, missing: [...new Set(needed)].filter((controller) => !had.has(controller)) };
}

/** v1 keeps memory.limit_in_bytes below memory.memsw.limit_in_bytes at each moment: which goes first depends on the direction. */
function writeAll(writes: readonly Write[]): void {
  const again: Write[] = [];
  for (const write of writes) {
    try {
      put(write);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      again.push(write);
    }
  }
  for (const write of again) put(write);
}

/** `r+` neither creates nor truncates. */
function put({ path, value }: Write): void {
  try {
    writeFileSync(path, value, { flag: 'r+' });
  } catch (error) {
    // write(2) has no path in its error.
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

/** What was changed before the failure; the failure is what is told. */
function restore(writes: readonly Write[]): void {
  for (const write of [...writes, ...writes]) {
    try {
      put(write);
    } catch {
      // this one was not changed, or cannot be had back: the next start sets it
    }
  }
}
