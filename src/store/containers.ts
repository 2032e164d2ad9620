/**
 * containers/ and names/: a container is a directory that appears by one rename, complete. Its name is a symbolic link names/<name> →
 * id, made under the lock of names together with the directory, so that two containers cannot have one name and a crash in between
 * leaves at most a link to nothing, which the next claim replaces, and sweepNames() removes.
 */
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tsrunError } from '../errors.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { replaceFile, syncDirectory } from './atomic-write.ts';
import { type ContainerRecord, parseContainerRecord } from './container-record.ts';
import { tryLock } from './lock.ts';
import { namesIn } from './names-in.ts';
import {
  containerDirectory,
  containerFiles,
  containerNamePath,
  containerRecord,
  containersDirectory,
  lockPath,
  namesDirectory,
  runtimeContainerDirectory,
  runtimeContainersDirectory,
  type StorePaths,
} from './paths.ts';
import { temporaryPath } from './temporary.ts';

const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Undefined for what is no link, or is gone: a supervisor that removes its container takes no lock. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export class ContainerStore {
  readonly paths: StorePaths;
  constructor(paths: StorePaths) {
    this.paths = paths;
  }

  /** The record of `id`, or undefined when there is none (or it is damaged). */
  read(id: string): ContainerRecord | undefined {
    try {
      return parseContainerRecord(readFileSync(containerRecord(this.paths, id), 'utf8'));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Ids of all containers, damaged ones included. */
  ids(): string[] {
    try {
      return readdirSync(containersDirectory(this.paths)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  /** The id that has exactly this name. */
  idOfName(name: string): string | undefined {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return undefined;
    try {
      const id = readlinkSync(containerNamePath(this.paths, name));
      return this.read(id) ? id : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /**
   * Puts a finished directory in place under its name. After a power cut it is still there, unless it is `passing`: a container that is
   * removed when it ends would be gone by then anyway.
   * @throws ERR_TSRUN_NAME_IN_USE
   */
  publish(directory: string, id: string, name: string, { passing = false } = {}): void {
    makeDirectories(containersDirectory(this.paths), 0o700);
    makeDirectories(namesDirectory(this.paths), 0o700);
    using _lock = this.lockNames();
    const holder = this.idOfName(name);
    if (holder !== undefined)
      throw tsrunError('ERR_TSRUN_NAME_IN_USE', { name, holder: holder.slice(0, 12) });
    rmSync(containerNamePath(this.paths, name), { force: true });
    symlinkSync(id, containerNamePath(this.paths, name));
    symlinkSync(containerNamePath(this.paths, name), `${directory}/name`);
    renameSync(directory, containerDirectory(this.paths, id));
    if (!passing) syncDirectory(containersDirectory(this.paths));
  }

  /**
   * Gives a container another name. The new name is taken first, and the old one given up last: a crash in between leaves a
   * name that means the same container, and goes when a container is removed (sweepNames).
   * @returns its record. @throws ERR_TSRUN_NAME_IN_USE, ERR_TSRUN_CONTAINER_UNKNOWN
   */
  rename(id: string, name: string): ContainerRecord {
    using _lock = this.lockNames();
    // As it is now: another command may have renamed it since this one looked.
    const record = this.read(id);
    if (!record) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: id.slice(0, 12) });
    const holder = this.idOfName(name);
    if (holder !== undefined && holder !== record.id)
      throw tsrunError('ERR_TSRUN_NAME_IN_USE', { name, holder: holder.slice(0, 12) });
    rmSync(containerNamePath(this.paths, name), { force: true });
    symlinkSync(record.id, containerNamePath(this.paths, name));
    try {
      replaceFile(this.paths, containerRecord(this.paths, id), JSON.stringify({ ...record, name }));
      this.#pointToName(record.id, name);
    } catch (error) {
      if (record.name !== name) rmSync(containerNamePath(this.paths, name), { force: true });
      if (isAbsent(error)) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: record.name }); // removed meanwhile
      throw error; // a full disk: it keeps the name that it had
    }
    if (record.name !== name) rmSync(containerNamePath(this.paths, record.name), { force: true });
    return { ...record, name };
  }

  /** Writes another record of the container, whose name and id stay; nothing when it is gone. */
  change(id: string, alter: (record: ContainerRecord) => ContainerRecord): void {
    using _lock = this.lockNames();
    const record = this.read(id);
    if (record) replaceFile(this.paths, containerRecord(this.paths, id), JSON.stringify(alter(record)));
  }

  /** The supervisor of a --rm container, which frees its name, was started before it had this one. */
  #pointToName(id: string, name: string): void {
    const pointer = temporaryPath(this.paths, 'name');
    symlinkSync(containerNamePath(this.paths, name), pointer);
    renameSync(pointer, containerFiles(this.paths, id).name);
  }

  /** Removes names of containers that do not exist: of those that were being made, or removed, when somebody was killed. */
  sweepNames(): void {
    using _lock = this.lockNames();
    for (const name of namesIn(namesDirectory(this.paths))) {
      const path = containerNamePath(this.paths, name);
      const id = linkTarget(path);
      if (id !== undefined && !existsSync(containerDirectory(this.paths, id))) rmSync(path, { force: true });
    }
  }

  /**
   * Removes the sockets of containers that do not exist: a start makes them when the container is there, a removal takes them away.
   * @param before is told the id of each such container
   */
  sweepSockets(before: (id: string) => void): void {
    for (const id of namesIn(runtimeContainersDirectory(this.paths))) {
      if (existsSync(containerDirectory(this.paths, id))) continue;
      before(id);
      rmSync(runtimeContainerDirectory(this.paths, id), { recursive: true, force: true });
    }
  }

  /**
   * The lock of names, which everybody holds who makes, renames or removes a container: with it, each name has its container, and each
   * container its name. It is held for less than a millisecond, so this may spin.
   */
  lockNames(): Disposable {
    for (;;) {
      const lock = tryLock(lockPath(this.paths, 'names'));
      if (lock) return lock;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
