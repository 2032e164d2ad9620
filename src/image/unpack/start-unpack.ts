/**
 * The starter's side of the unpacker: one worker for the layers of an image, started in the rootless namespaces, fed with the blobs'
 * bytes.
 */
import { Writable } from 'node:stream';
import type { TsrunError } from '../../errors.ts';
import type { LayerUnpacker, LayerUnpacking, UnpackResult, UnpackTarget } from '../layer-sink.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from './limits.ts';
import { UnpackConnection } from './unpack-connection.ts';
import type { StartInNamespaces, UnpackProcess } from './unpack-process.ts';
import type { UnpackCounts, UnpackJob, WorkerJob, WorkerResults } from './worker-protocol.ts';

export interface UnpackerOptions {
  start: StartInNamespaces;
  /** Node by its path, and the worker's file. */
  workerCommand: readonly string[];
  singleUid: boolean;
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
  return {
    compare: (expected, found) => ask<'compare'>({ kind: 'compare', expected, found }),
    measure: (directories) => ask<'measure'>({ kind: 'measure', directories }),
    prepare() {
      idle ??= connect();
    },
    open(target) {
      const connection = idle ?? connect();
      idle = undefined;
      return new RunningUnpack(connection, jobOf(options, target), () => {
        idle = connection;
      });
    },
    async close() {
      const last = idle;
      idle = undefined;
      await last?.close();
    },
  };
}

const jobOf = (options: UnpackerOptions, target: UnpackTarget): UnpackJob => ({
  kind: 'unpack',
  diffDirectory: target.diffDirectory,
  lowers: target.lowers,
  compression: target.compression,
  singleUid: options.singleUid,
  sync: options.sync ?? true,
  limits: options.limits?.() ?? DEFAULT_LIMITS,
});

class RunningUnpack implements LayerUnpacking {
  readonly input: Writable;
  readonly #process: UnpackProcess;
  readonly #outcome: Promise<UnpackCounts>;
  /** The worker has answered and may be unpacking another layer: it is not ours to kill any more. */
  #isOver = false;

  constructor(connection: UnpackConnection, job: UnpackJob, release: () => void) {
    this.#process = connection.process;
    this.#outcome = connection.answer<'unpack'>().then((counts) => {
      this.#isOver = true;
      release();
      return counts;
    });
    this.input = inputOf(connection, job, this.#outcome);
  }

  async finish(): Promise<UnpackResult> {
    return await this.#outcome;
  }

  async abort(): Promise<void> {
    if (!this.#isOver) this.#process.kill();
    this.input.destroy();
    await this.#outcome.catch(() => undefined); // whatever it is, the caller has given the layer up
  }
}

/**
 * A blob as frames of the worker's stdin. When the worker ends early the pipe breaks, but what the caller must hear is the worker's own
 * error: the stream is destroyed with that instead of EPIPE.
 */
function inputOf(connection: UnpackConnection, job: UnpackJob, outcome: Promise<UnpackCounts>): Writable {
  const { stdin } = connection.process;
  let resume: (() => void) | undefined;
  const onDrain = (): void => {
    const next = resume;
    resume = undefined;
    next?.();
  };
  const input = new Writable({
    highWaterMark: 1 << 20,
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length === 0 || connection.send(chunk)) done();
      else resume = done;
    },
    final: (done) => {
      connection.send(new Uint8Array());
      done();
    },
  });
  stdin.on('drain', onDrain);
  connection.send(Buffer.from(JSON.stringify(job)));
  outcome.then(
    () => stdin.off('drain', onDrain),
    (error: TsrunError) => {
      stdin.destroy();
      input.destroy(error);
    },
  );
  return input;
}
