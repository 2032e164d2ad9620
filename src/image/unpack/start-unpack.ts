/**
 * The starter's side of the unpacker: one worker per layer, started in the rootless namespaces, fed with the blob's bytes.
 */
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TsrunError, tsrunError } from '../../errors.ts';
import type { LayerUnpacker, LayerUnpacking, UnpackResult, UnpackTarget } from '../layer-sink.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from './limits.ts';
import type { StartInNamespaces, UnpackProcess } from './unpack-process.ts';
import { reviveError, type UnpackCounts, type UnpackJob, type WorkerAnswer } from './worker-protocol.ts';

export interface UnpackerOptions {
  start: StartInNamespaces;
  /** Node by its path, and the worker's file: what the job is appended to. */
  workerCommand: readonly string[];
  singleUid: boolean;
  /** syncfs(2) at the end of every layer (the default); false when the caller does it once for all. */
  sync?: boolean;
  limits?: UnpackLimits;
}

export const createUnpacker = (options: UnpackerOptions): LayerUnpacker => ({
  open: (target) => new RunningUnpack(options, target),
});

class RunningUnpack implements LayerUnpacking {
  readonly input: Writable;
  readonly #process: UnpackProcess;
  readonly #outcome: Promise<UnpackCounts>;

  constructor(options: UnpackerOptions, target: UnpackTarget) {
    const job: UnpackJob = {
      diffDirectory: target.diffDirectory,
      lowers: target.lowers,
      compression: target.compression,
      singleUid: options.singleUid,
      sync: options.sync ?? true,
      limits: options.limits ?? DEFAULT_LIMITS,
    };
    this.#process = options.start([...options.workerCommand, JSON.stringify(job)]);
    this.#outcome = outcomeOf(this.#process);
    this.input = inputOf(this.#process, this.#outcome);
  }

  async finish(): Promise<UnpackResult> {
    return await this.#outcome;
  }

  async abort(): Promise<void> {
    this.#process.kill();
    this.input.destroy();
    await this.#outcome.catch(() => undefined); // whatever it is, the caller has given the layer up
  }
}

/** Reads the answer and waits for the worker's end. */
async function outcomeOf(process: UnpackProcess): Promise<UnpackCounts> {
  const [line, output] = await Promise.all([text(process.result), text(process.stderr)]);
  const ending = process.reap();
  const answer = parseAnswer(line);
  if (!answer) throw tsrunError('ERR_TSRUN_UNPACK_WORKER', { ending, output: output.trim().slice(-2000) });
  if (!answer.ok) throw reviveError(answer.error);
  return answer.result;
}

/** undefined: the worker died before, or while, it answered. */
function parseAnswer(line: string): WorkerAnswer | undefined {
  return line.endsWith('\n') ? (JSON.parse(line) as WorkerAnswer) : undefined;
}

/**
 * The worker's stdin. When the worker ends early the pipe breaks, but what the caller must hear is the worker's own error: the
 * stream is destroyed with that instead of EPIPE.
 */
function inputOf(process: UnpackProcess, outcome: Promise<UnpackCounts>): Writable {
  const { stdin } = process;
  const input = new Writable({
    highWaterMark: 1 << 20,
    write: (chunk: Buffer, _encoding, done) => {
      if (stdin.write(chunk)) done();
      else resume = done;
    },
    final: (done) => {
      stdin.end(done);
    },
    destroy: (error, done) => {
      stdin.destroy();
      done(error);
    },
  });
  let resume: (() => void) | undefined;
  stdin.on('drain', () => {
    const next = resume;
    resume = undefined;
    next?.();
  });
  stdin.on('error', () => undefined); // EPIPE: `outcome` says why
  outcome.catch((error: TsrunError) => input.destroy(error));
  return input;
}
