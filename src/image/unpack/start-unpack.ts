/**
 * The starter's side of the unpacker: one worker for the layers of an image, started in the rootless namespaces, and told how far the
 * blobs have come.
 */
import type { Rootless } from '../../rootless/enter.ts';
import { NamespacesAhead } from '../../rootless/namespaces-ahead.ts';
import type { GrowingFile } from '../../store/growing-file.ts';
import type { LayerUnpacker, LayerUnpacking, UnpackResult, UnpackTarget } from '../layer-sink.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from './limits.ts';
import { AT_ONCE_BYTES, prepareAtOnce, UnpackAtOnce } from './unpack-at-once.ts';
import { UnpackConnection } from './unpack-connection.ts';
import type { StartInNamespaces, UnpackProcess } from './unpack-process.ts';
import {
  countFrame,
  type UnpackCounts,
  type UnpackJob,
  type WorkerJob,
  type WorkerResults,
} from './worker-protocol.ts';

export interface UnpackerOptions {
  start: StartInNamespaces;
  /** Node by its path, and the worker's file. */
  workerCommand: readonly string[];
  singleUid: boolean;
  /** An image of one small layer is unpacked without a worker (unpack-at-once.ts), which enters by this; the caller makes it durable. */
  rootless?: Rootless | undefined;
  /** syncfs(2) at the end of every layer (the default); false when the caller does it once for all. */
  sync?: boolean;
  /** Asked for each layer; undefined: the usual ones. */
  limits?: () => UnpackLimits | undefined;
}

/** What else is done in the rootless namespaces, where the files of subordinate ids can be read. */
export interface TreeWorker extends LayerUnpacker {
  /** In which paths the two trees differ, and how; the first few. */
  compare(expected: string, found: string): Promise<string[]>;
  /** Bytes of the files in each directory; 0 for one that is not there. */
  measure(directories: string[]): Promise<number[]>;
}

export function createUnpacker(options: UnpackerOptions): TreeWorker {
  /** A worker that waits for a job. */
  let idle: UnpackConnection | undefined;
  let closing = Promise.resolve();
  /** The image that was announced has one small layer. */
  let isSmall = false;
  /** For that layer, if there are no namespaces yet. */
  let ahead: NamespacesAhead | undefined;
  const connect = (): UnpackConnection => new UnpackConnection(options.start(options.workerCommand));
  const ask = async <Kind extends 'compare' | 'measure'>(
    job: Extract<WorkerJob, { kind: Kind }>,
  ): Promise<WorkerResults[Kind]> => {
    const connection = idle ?? connect();
    idle = undefined;
    const answer = connection.answer<Kind>();
    connection.send(Buffer.from(JSON.stringify(job)));
    const result = await answer;
    idle = connection;
    return result;
  };
  const byWorker = (target: UnpackTarget): LayerUnpacking => {
    const connection = idle ?? connect();
    idle = undefined;
    return new RunningUnpack(connection, jobOf(options, target), target, () => {
      idle = connection;
    });
  };
  return {
    compare: (expected, found) => ask<'compare'>({ kind: 'compare', expected, found }),
    measure: (directories) => ask<'measure'>({ kind: 'measure', directories }),
    prepare: prepareAtOnce,
    expect([lowest, ...others]) {
      isSmall = lowest !== undefined && lowest.size <= AT_ONCE_BYTES && others.length === 0;
      const { rootless } = options;
      if (!isSmall || rootless === undefined) idle ??= connect();
      else if (rootless.holder === undefined) ahead ??= makeAhead(rootless);
    },
    open(target) {
      const { rootless } = options;
      if (!isSmall || rootless === undefined || idle !== undefined) return byWorker(target);
      const limits = limitsOf(options);
      return new UnpackAtOnce(target, { rootless, ahead, limits, byWorker: () => byWorker(target) });
    },
    async close() {
      ahead?.close();
      ahead = undefined;
      const last = idle;
      idle = undefined;
      if (last !== undefined) closing = last.close();
      await closing;
    },
  };
}

function makeAhead({ maps }: Rootless): NamespacesAhead | undefined {
  try {
    return new NamespacesAhead(maps);
  } catch {
    return undefined; // whoever enters new ones is told why
  }
}

const jobOf = (options: UnpackerOptions, target: UnpackTarget): UnpackJob => ({
  kind: 'unpack',
  diffDirectory: target.diffDirectory,
  lowers: target.lowers,
  blob: target.blob.paths,
  singleUid: options.singleUid,
  sync: options.sync ?? true,
  limits: limitsOf(options),
});

const limitsOf = ({ limits }: UnpackerOptions): UnpackLimits => limits?.() ?? DEFAULT_LIMITS;

class RunningUnpack implements LayerUnpacking {
  readonly #process: UnpackProcess;
  readonly #answer: Promise<UnpackCounts>;
  readonly #growth: Promise<void>;
  /** The worker has answered and may be unpacking another layer: it is not ours to kill any more. */
  #isOver = false;

  constructor(connection: UnpackConnection, job: UnpackJob, target: UnpackTarget, release: () => void) {
    this.#process = connection.process;
    this.#answer = connection.answer<'unpack'>(target.onProgress).then((counts) => {
      this.#isOver = true;
      release();
      return counts;
    });
    connection.send(Buffer.from(JSON.stringify(job)));
    this.#growth = tellOfGrowth(connection, target.blob);
    for (const promise of [this.#answer, this.#growth]) promise.catch(() => undefined); // finish() tells
  }

  async finish(): Promise<UnpackResult> {
    // The worker waits for ever for bytes that do not come.
    return await Promise.race([this.#answer, this.#growth.then(() => this.#answer)]);
  }

  async abort(): Promise<void> {
    if (!this.#isOver) this.#process.kill();
    await this.#answer.catch(() => undefined); // whatever it is, the caller has given the layer up
  }
}

/** Throws when the blob will not be whole. */
async function tellOfGrowth(connection: UnpackConnection, blob: GrowingFile): Promise<void> {
  for await (const bytes of blob.growth()) connection.send(countFrame(bytes));
  connection.send(new Uint8Array());
}
