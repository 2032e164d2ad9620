/**
 * The worker: the process that unpacks the layers of an image. It is started inside the rootless namespaces, where it is root over the
 * user's ids only.
 *
 * For each layer: read the job and everything that /proc says, open the blob and the layers below; then chroot into the layer's
 * directory, after which no path leads anywhere else; then read the archive. Nothing is loaded after the chroot. Of the root before it
 * a descriptor is left, as there are of the blob (to read) and of the layers below: no path leads to them, only our own calls do.
 */
import * as fs from 'node:fs';
import { callNow } from '../../sys/calls.ts';
import { compileLater } from '../../sys/v8-flags.ts';
import type { ApplyOptions } from './apply-layer.ts';
import { compareTrees } from './compare-trees.ts';
import { FrameReader, piecesOf } from './frame-reader.ts';
import type { UnpackHost } from './host.ts';
import type { Lower } from './lower-view.ts';
import { measureTree } from './measure-tree.ts';
import { nativeHost } from './native-host.ts';
import { ownOwnership } from './owner.ts';
import { openGrowing, readGrowing } from './read-growing.ts';
import { rehearse, unpackLayer } from './unpack-layer.ts';
import {
  countOfFrame,
  describeError,
  RESULT_FD,
  type UnpackJob,
  type WorkerAnswer,
  type WorkerJob,
  type WorkerProgress,
} from './worker-protocol.ts';

const STDIN = 0;

/** Does the jobs that come on stdin; returns the exit status. */
export async function runUnpackWorker(host: UnpackHost = nativeHost): Promise<number> {
  process.umask(0);
  const frames = new FrameReader(piecesOf(STDIN));
  const next = frames.next();
  callNow('load the library', 'getpid', []);
  for (const name of ['stream', 'zlib', 'crypto']) process.getBuiltinModule(`node:${name}`);
  compileLater();
  await rehearse();
  for (let job = await next; ; job = await frames.next()) {
    if (job === undefined) return 0;
    const answer = await doJob(JSON.parse(job.toString('utf8')) as WorkerJob, frames, host);
    try {
      say(answer);
    } catch {
      return 1; // the starter is gone
    }
    if (!answer.ok) return 1;
  }
}

async function doJob(job: WorkerJob, frames: FrameReader, host: UnpackHost): Promise<WorkerAnswer> {
  try {
    switch (job.kind) {
      case 'unpack':
        return await unpackOne(job, frames, host);
      case 'compare':
        return { ok: true, result: compareTrees(host, job.expected, job.found) };
      case 'measure':
        return { ok: true, result: job.directories.map(measureTree) };
    }
  } catch (error) {
    return { ok: false, error: describeError(error) }; // and the process ends
  }
}

async function unpackOne(job: UnpackJob, frames: FrameReader, host: UnpackHost): Promise<WorkerAnswer> {
  const root = fs.openSync('/', fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  const blob = openGrowing(job.blob);
  try {
    const options = enterLayer(job, host);
    const growth = new Growth(frames);
    const result = await unpackLayer(readGrowing(blob, growth.counts()), options, progressTeller());
    for await (const _ of growth.counts()); // of what follows the archive's end
    if (job.sync) syncRoot(host);
    for (const { fd } of options.lowers) fs.closeSync(fd);
    host.leaveRoot(root);
    return { ok: true, result };
  } finally {
    fs.closeSync(blob);
    fs.closeSync(root);
  }
}

/** The frames that tell how much of a blob is there; they can be read on by another reader after one that had enough. */
class Growth {
  readonly #frames: FrameReader;
  /** One for all readers: who had enough may have been waiting for a frame, which must not be lost to the next one. */
  #pending: Promise<Buffer> | undefined;
  #isOver = false;
  constructor(frames: FrameReader) {
    this.#frames = frames;
  }
  async #next(): Promise<Buffer> {
    const frame = await this.#frames.next();
    if (frame === undefined) throw new Error('the input ended inside a layer');
    this.#pending = undefined;
    this.#isOver = frame.length === 0;
    return frame;
  }
  async *counts(): AsyncGenerator<number, void> {
    while (!this.#isOver) {
      this.#pending ??= this.#next();
      const frame = await this.#pending;
      if (frame.length > 0) yield countOfFrame(frame);
    }
  }
}

const say = (line: WorkerAnswer | WorkerProgress): number =>
  fs.writeSync(RESULT_FD, `${JSON.stringify(line)}\n`);

const PROGRESS_BYTES = 1 << 20;

/** Tells of each MiB. */
function progressTeller(): (unpacked: number) => void {
  let told = 0;
  return (unpacked) => {
    if (unpacked - told < PROGRESS_BYTES) return;
    told = unpacked;
    say({ unpacked });
  };
}

/** Everything that needs the host's paths, and the chroot that ends them. */
function enterLayer(job: UnpackJob, host: UnpackHost): ApplyOptions {
  const ownership = ownOwnership(job.singleUid);
  const lowers = job.lowers.map(openLower);
  host.enterRoot(job.diffDirectory);
  fs.chmodSync('/', 0o700); // a setgid bit of the store's directory would be passed on to every file
  return { host, lowers, ownership, limits: job.limits };
}

function openLower(directory: string): Lower {
  const { O_DIRECTORY, O_RDONLY } = fs.constants;
  return {
    fd: fs.openSync(directory, O_RDONLY | O_DIRECTORY),
    names: fs.readdirSync(directory, 'latin1'),
  };
}

function syncRoot(host: UnpackHost): void {
  const root = fs.openSync('/', fs.constants.O_RDONLY);
  try {
    host.syncFileSystem(root);
  } finally {
    fs.closeSync(root);
  }
}
