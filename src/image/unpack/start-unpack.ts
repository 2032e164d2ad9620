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
import { frameHeader, type UnpackCounts, type UnpackJob } from './worker-protocol.ts';

export interface UnpackerOptions {
  start: StartInNamespaces;
  /** Node by its path, and the worker's file. */
  workerCommand: readonly string[];
  singleUid: boolean;
  /** syncfs(2) at the end of every layer (the default); false when the caller does it once for all. */
  sync?: boolean;
  limits?: UnpackLimits;
}

export function createUnpacker(options: UnpackerOptions): LayerUnpacker {
  /** A worker that waits for a job. */
  let idle: UnpackConnection | undefined;
  const connect = (): UnpackConnection => new UnpackConnection(options.start(options.workerCommand));
  return {
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
  diffDirectory: target.diffDirectory,
  lowers: target.lowers,
  compression: target.compression,
  singleUid: options.singleUid,
  sync: options.sync ?? true,
  limits: options.limits ?? DEFAULT_LIMITS,
});

class RunningUnpack implements LayerUnpacking {
  readonly input: Writable;
  readonly #process: UnpackProcess;
  readonly #outcome: Promise<UnpackCounts>;
  /** The worker has answered and may be unpacking another layer: it is not ours to kill any more. */
  #isOver = false;

  constructor(connection: UnpackConnection, job: UnpackJob, release: () => void) {
    this.#process = connection.process;
    this.#outcome = connection.answer().then((counts) => {
      this.#isOver = true;
      release();
      return counts;
    });
    this.input = inputOf(connection.process, job, this.#outcome);
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
function inputOf({ stdin }: UnpackProcess, job: UnpackJob, outcome: Promise<UnpackCounts>): Writable {
  let resume: (() => void) | undefined;
  const onDrain = (): void => {
    const next = resume;
    resume = undefined;
    next?.();
  };
  const send = (payload: Uint8Array): boolean => {
    stdin.cork();
    stdin.write(frameHeader(payload.length));
    const isTaken = stdin.write(payload);
    stdin.uncork();
    return isTaken;
  };
  const input = new Writable({
    highWaterMark: 1 << 20,
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length === 0 || send(chunk)) done();
      else resume = done;
    },
    final: (done) => {
      stdin.write(frameHeader(0));
      done();
    },
  });
  stdin.on('drain', onDrain);
  send(Buffer.from(JSON.stringify(job)));
  outcome.then(
    () => stdin.off('drain', onDrain),
    (error: TsrunError) => {
      stdin.destroy();
      input.destroy(error);
    },
  );
  return input;
}
