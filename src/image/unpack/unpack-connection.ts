/** A running worker and its answers. */
import { text } from 'node:stream/consumers';
import { tsrunError } from '../../errors.ts';
import type { UnpackProcess } from './unpack-process.ts';
import {
  frameHeader,
  reviveError,
  type WorkerAnswer,
  type WorkerProgress,
  type WorkerResults,
} from './worker-protocol.ts';

export class UnpackConnection {
  readonly process: UnpackProcess;
  /** Resolves when the process has ended and is reaped, with how it ended and what it wrote. */
  readonly #ended: Promise<{ ending: string; output: string }>;
  #received = '';
  #waiting: PromiseWithResolvers<WorkerAnswer> | undefined;
  #onProgress: ((bytes: number) => void) | undefined;

  constructor(process: UnpackProcess) {
    this.process = process;
    const { stdin, result, stderr } = process;
    stdin.on('error', () => undefined); // EPIPE: how the process ended says why
    result.setEncoding('utf8');
    result.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#hearAnswer();
    });
    const closed = new Promise<void>((resolve) => {
      result.on('end', resolve);
      result.on('error', () => resolve());
    });
    this.#ended = Promise.all([text(stderr), closed]).then(([output]) => ({
      ending: process.reap(),
      output: output.trim().slice(-2000),
    }));
    this.#ended.then(
      (end) => this.#waiting?.reject(tsrunError('ERR_TSRUN_UNPACK_WORKER', end)),
      (error: unknown) => this.#waiting?.reject(error),
    );
  }

  /** Sends a frame; frames are small, and no worker lets many of them pile up. */
  send(payload: Uint8Array): void {
    this.process.stdin.write(Buffer.concat([frameHeader(payload.length), payload]));
  }

  /** The answer to the one job that the worker has. Throws the worker's error, or ERR_TSRUN_UNPACK_WORKER when it ended without one. */
  async answer<Kind extends keyof WorkerResults>(
    onProgress?: (bytes: number) => void,
  ): Promise<WorkerResults[Kind]> {
    this.#onProgress = onProgress;
    const waiting = Promise.withResolvers<WorkerAnswer>();
    this.#waiting = waiting;
    const ended = this.#ended.then((end): WorkerAnswer => {
      throw tsrunError('ERR_TSRUN_UNPACK_WORKER', end);
    });
    ended.catch(() => undefined); // it ends some time, mostly after it answered
    this.#hearAnswer();
    const answer = await Promise.race([waiting.promise, ended]);
    this.#waiting = undefined;
    if (answer.ok) return answer.result as WorkerResults[Kind];
    await this.close();
    throw reviveError(answer.error);
  }

  /**
   * There are no more layers for the worker, which has answered all that it was asked. It is not left to end by itself, as Node may
   * wait for ever for its own compiler when it ends (nodejs/node#54918), and we would wait with it.
   */
  async close(): Promise<void> {
    this.process.stdin.destroy();
    this.process.kill();
    await this.#ended;
  }

  /** Half a line is no answer: the worker died while it wrote. */
  #hearAnswer(): void {
    while (this.#waiting !== undefined) {
      const end = this.#received.indexOf('\n');
      if (end === -1) return;
      const line = JSON.parse(this.#received.slice(0, end)) as WorkerAnswer | WorkerProgress;
      this.#received = this.#received.slice(end + 1);
      if ('unpacked' in line) this.#onProgress?.(line.unpacked);
      else {
        this.#waiting.resolve(line);
        return;
      }
    }
  }
}
