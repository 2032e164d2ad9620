/** Archives of trees: a container's root file system, what it changed, an image, a directory of the store. */
import { existsSync, mkdirSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import type { PackJob, PackResult } from '../image/pack/pack-job.ts';
import { type PackedStream, type PackerOptions, packTo, packToStream } from '../image/pack/start-pack.ts';
import { startByRootless } from '../image/unpack/unpack-process.ts';
import type { ViewPaths } from '../rootfs/driver.ts';
import { privateView } from '../rootfs/view.ts';
import { removeTreeInside } from '../rootless/enter.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerDirectory } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { isAllItsOwn, lowersOf, upperOf } from './container-rootfs.ts';
import type { Engine } from './open-engine.ts';
import { workerCommand } from './worker-command.ts';

/** A tree that can be packed. */
export type PackSource =
  /** What the container sees, without its volumes and other mounts; it may run. */
  | { kind: 'container'; record: ContainerRecord }
  /** What it changed, as a layer on top of its image's: whiteouts included. Not for the driver `copy`, which does not know. */
  | { kind: 'changes'; record: ContainerRecord }
  /** A directory that this user's containers own, such as a volume's. */
  | { kind: 'directory'; path: string };

export interface PackOptions {
  /** See {@link PackJob}; everything, by default. */
  path?: string;
  follow?: boolean;
  as?: string;
  exclude?: string[];
  digest?: boolean;
}

/**
 * Writes the archive of a tree to the descriptor `output`.
 * @throws ERR_TSRUN_PACK naming what could not be read, ERR_TSRUN_ARCHIVE_WRITE, ERR_TSRUN_NAMESPACES
 */
export async function packTree(
  engine: Engine,
  source: PackSource,
  output: number,
  options: PackOptions = {},
): Promise<PackResult> {
  const { packer, job, release } = prepare(engine, source, options);
  try {
    return await packTo(packer, job, output);
  } finally {
    release();
  }
}

/** The archive of a tree as a stream, which fails with what {@link packTree} throws. Read it to its end, or destroy it. */
export function streamTree(engine: Engine, source: PackSource, options: PackOptions = {}): PackedStream {
  const { packer, job, release } = prepare(engine, source, options);
  try {
    const stream = packToStream(packer, job);
    const result = stream.result.finally(release);
    result.catch(() => undefined); // the stream fails with it
    return { archive: stream.archive, result };
  } catch (error) {
    release();
    throw error;
  }
}

interface Prepared {
  packer: PackerOptions;
  job: PackJob;
  /** Removes what was made for it. */
  release(): void;
}

function prepare(engine: Engine, source: PackSource, options: PackOptions): Prepared {
  const rootless = engine.rootless();
  const command = workerCommand('pack', 'pack-worker');
  const job: PackJob = {
    root: rootOf(engine, source),
    path: options.path ?? '/',
    follow: options.follow ?? false,
    as: Buffer.from(options.as ?? '').toString('latin1'),
    changesOf: source.kind === 'changes' ? changesOf(source.record) : undefined,
    exclude: (options.exclude ?? []).map((name) => Buffer.from(name).toString('latin1')),
    digest: options.digest ?? false,
  };
  job.path = Buffer.from(job.path).toString('latin1');
  const explain = (error: unknown): unknown => whenRemoved(engine, source, error);
  if (source.kind !== 'container') {
    const start = startByRootless(rootless);
    return { packer: { start, workerCommand: command, explain }, job, release: () => {} };
  }
  const mountpoint = temporaryPath(engine.paths, 'view');
  mkdirSync(mountpoint, { mode: 0o700 });
  const { rootfsDriver } = source.record;
  const paths: ViewPaths = { directories: containerDirectories(engine, source.record), mountpoint };
  const start = startByRootless(rootless, (slots) => privateView(slots, rootfsDriver, paths));
  return {
    packer: { start, workerCommand: command, explain },
    job: { ...job, root: mountpoint },
    release: () => removeTreeInside(rootless, [mountpoint]),
  };
}

/** Nothing keeps a container from being removed while it is read. */
function whenRemoved(engine: Engine, source: PackSource, error: unknown): unknown {
  if (source.kind === 'directory' || existsSync(containerDirectory(engine.paths, source.record.id)))
    return error;
  return tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: source.record.name });
}

/** The directories that make up what the container sees, the top one first. */
export function containerDirectories(engine: Pick<Engine, 'paths'>, record: ContainerRecord): string[] {
  const upper = upperOf(engine.paths, record);
  return record.rootfsDriver === 'copy' ? [upper] : [upper, ...lowersOf(engine.paths, record)];
}

function rootOf(engine: Engine, source: PackSource): string {
  if (source.kind === 'directory') return source.path;
  return upperOf(engine.paths, source.record);
}

function changesOf(record: ContainerRecord): PackJob['changesOf'] {
  const { rootfsDriver } = record;
  if (rootfsDriver === 'copy' && isAllItsOwn(record)) return 'overlay'; // whose marks are not there: nothing is below
  if (rootfsDriver === 'copy') throw new Error('a copy of an image does not know what was changed in it');
  return rootfsDriver;
}
