/** What every use case needs: where the store is, what is in it, and the way into the rootless namespaces. */
import { lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import type { Rootless } from '../rootless/enter.ts';
import { findHolder } from '../rootless/holder.ts';
import { rootlessMaps } from '../rootless/subordinate-ids.ts';
import { digestHex } from '../spec/digest.ts';
import { readContainerState } from '../store/container-state.ts';
import { ContainerStore } from '../store/containers.ts';
import { prepareDigests, sha256 } from '../store/hash.ts';
import { ImageStore } from '../store/images.ts';
import type { StorePaths } from '../store/paths.ts';
import { normalPath, storeRoot } from '../store/store-root.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import type { ProcessId } from '../sys/process.ts';

export interface EngineOptions {
  /** --root: where the store is, instead of $XDG_DATA_HOME/tsrun */
  root?: string | undefined;
  /** --storage-driver */
  storageDriver?: string | undefined;
  /** Where warnings go, a line each. */
  warn?: ((line: string) => void) | undefined;
}

export interface Engine {
  readonly paths: StorePaths;
  readonly images: ImageStore;
  readonly containers: ContainerStore;
  readonly storageDriver: string | undefined;
  /** Of the rootless namespaces. */
  readonly maps: Rootless['maps'];
  /** Why the runtime directory is not in $XDG_RUNTIME_DIR, in a line. */
  readonly runtimeProblem: string | undefined;
  warn(line: string): void;
  /** The way into the rootless namespaces, looked up at each call. */
  rootless(): Rootless;
}

/** @throws ERR_TSRUN_USAGE when run by root, ERR_TSRUN_RUNTIME_DIRECTORY when there is no private one */
export function openEngine(options: EngineOptions = {}): Engine {
  const warn = options.warn ?? ((line) => void process.stderr.write(`tsrun: warning: ${line}\n`));
  if (process.getuid?.() === 0) throw tsrunError('ERR_TSRUN_ROOT', {});
  const root = storeRoot(options.root);
  const { directory, problem } = runtimeDirectory(root, options.root !== undefined);
  const paths: StorePaths = { root, runtime: directory };
  const containers = new ContainerStore(paths);
  const maps = rootlessMaps();
  return {
    paths,
    containers,
    images: new ImageStore(paths),
    storageDriver: options.storageDriver,
    maps,
    runtimeProblem: problem,
    warn,
    rootless: () => ({ maps, holder: findHolder(paths.runtime, maps, () => supervisors(containers)) }),
  };
}

function* supervisors(containers: ContainerStore): Iterable<ProcessId> {
  for (const id of containers.ids()) {
    const { supervisor } = readContainerState(containers.paths, id);
    if (supervisor) yield supervisor;
  }
}

/** Is it a directory that only this user can use? */
function isPrivate(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}

/**
 * $XDG_RUNTIME_DIR/tsrun where that is this user's own; else a private directory in the system's temporary one (no logind, `su`,
 * containers). Never a directory of another user. A store given by --root has runtime state of its own.
 */
function runtimeDirectory(
  root: string,
  ownStore: boolean,
): { directory: string; problem: string | undefined } {
  const given = process.env.XDG_RUNTIME_DIR;
  const usable = given?.startsWith('/') && isPrivate(given) ? given : undefined;
  const base = usable ? `${normalPath(usable)}/tsrun` : join(tmpdir(), `tsrun-${process.getuid?.()}`);
  makeDirectories(base, 0o700);
  if (!isPrivate(base)) throw tsrunError('ERR_TSRUN_RUNTIME_DIRECTORY', { path: base });
  const what = given
    ? `XDG_RUNTIME_DIR=${given} is no directory of yours alone`
    : 'XDG_RUNTIME_DIR is not set';
  if (ownStore) prepareDigests();
  return {
    directory: ownStore ? join(base, 'stores', digestHex(sha256(root)).slice(0, 32)) : base,
    problem: usable ? undefined : `${what}: sockets of running containers are in ${base}`,
  };
}
