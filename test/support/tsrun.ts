/**
 * Calls the built tsrun as a user does. `useTsrun()` at the top of a test file gives it a store of its own, and after its last test
 * removes the containers, checks that nothing of them is left, and removes the store.
 *
 * The program under test is dist/bin/tsrun, or $TSRUN_BINARY.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeProcesses } from './describe-processes.ts';
import { expectNoLeftovers, removeStore, type TestStore, temporaryStore } from './store.ts';

export const BINARY =
  process.env.TSRUN_BINARY ?? join(import.meta.dirname, '..', '..', 'dist', 'bin', 'tsrun');

export interface Result {
  /** Exit status, or null when a signal ended it. */
  status: number | null;
  signal: NodeJS.Signals | null;
  /** Exact bytes; `stdout` is the same as text. */
  output: Buffer;
  stdout: string;
  stderr: string;
}

export interface CallOptions {
  /** Written to stdin, which is then closed. Without it stdin is /dev/null. */
  input?: string | Uint8Array;
  /** Leaves stdin open after `input`, for what is written later. */
  keepInputOpen?: boolean;
  /** Added to the store's environment; undefined removes a variable. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** Longer than any command of a test takes, and shorter than what a test has (vitest.config.ts): a command that hangs says so itself. */
const PATIENCE_MS = Number(process.env.TSRUN_TEST_PATIENCE_MS ?? 170_000);

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
}

/** Starts `command` and collects what it says. */
export function start(command: string, words: readonly string[], options: CallOptions = {}): Running {
  const { input, keepInputOpen = false, env, cwd } = options;
  const stdin = input === undefined && !keepInputOpen ? 'ignore' : 'pipe';
  const child = spawn(command, words, { env, cwd, stdio: [stdin, 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
  // EPIPE: the command may end without reading its input.
  child.stdin?.on('error', () => undefined);
  if (input !== undefined) child.stdin?.write(input);
  if (!keepInputOpen) child.stdin?.end();
  const ended = new Promise<Result>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      const all = Buffer.concat(output);
      resolve({
        status,
        signal,
        output: all,
        stdout: all.toString(),
        stderr: Buffer.concat(errors).toString(),
      });
    });
  });
  return { child, ended };
}

/** The lines of warning in what tsrun said. */
export const warnings = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line.startsWith('tsrun: warning: '));

export class Tsrun {
  readonly #binary: string;
  #store: TestStore | undefined;

  /** `binary`: another build than the one under test. */
  constructor(binary = BINARY) {
    this.#binary = binary;
  }

  get store(): TestStore {
    if (!this.#store) throw new Error('the store is there only while tests run');
    return this.#store;
  }

  async open(): Promise<void> {
    this.#store = await temporaryStore();
  }

  /** Starts `tsrun words…`. */
  start(words: readonly string[], options: CallOptions = {}): Running {
    return start(this.#binary, words, {
      cwd: this.store.directory,
      ...options,
      env: { ...this.store.env, ...options.env },
    });
  }

  /** Runs `tsrun words…` to its end, whatever that is. */
  run(words: readonly string[], options: CallOptions = {}): Promise<Result> {
    return this.endOf(`tsrun ${words.join(' ')}`, this.start(words, options));
  }

  /** The end of `running`, which is called `what`. Fails when it hangs, saying what it and all others of the store are waiting for. */
  async endOf(what: string, { child, ended }: Running): Promise<Result> {
    const over = new AbortController();
    const late = sleep(PATIENCE_MS, undefined, { signal: over.signal, ref: false }).then(() => {
      const state = describeProcesses(this.store.directory);
      child.kill('SIGKILL'); // so that the files after this one find nothing of it
      throw new Error(
        `${what} (process ${child.pid}) has not ended after ${PATIENCE_MS / 1000} s:\n${state}`,
      );
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([ended, late]);
    } finally {
      over.abort();
    }
  }

  /** Runs `tsrun words…`, which must exit with `status`. Returns all that it said. */
  async expect(status: number, words: readonly string[], options: CallOptions = {}): Promise<Result> {
    const result = await this.run(words, options);
    expect(result.status, `tsrun ${words.join(' ')}: ${result.stderr}`).toBe(status);
    return result;
  }

  /** Runs `tsrun words…`, which must succeed. Returns its standard output without the last line feed. */
  async ok(...words: string[]): Promise<string> {
    return (await this.expect(0, words)).stdout.replace(/\n$/, '');
  }

  /** Removes all containers and the store, and fails when a removed container left something. */
  async close(): Promise<void> {
    const store = this.store;
    if (existsSync(store.root)) {
      const ids = (await this.ok('ps', '-aq')).split('\n').filter(Boolean);
      if (ids.length > 0) await this.ok('rm', '-f', ...ids);
    }
    try {
      await expectNoLeftovers(store);
    } finally {
      await removeStore(store, [this.#binary, 'unshare']);
      this.#store = undefined;
    }
  }
}

/** A tsrun with a store of its own for the tests of this file (or of this `describe`). */
export function useTsrun(): Tsrun {
  const tsrun = new Tsrun();
  beforeAll(() => tsrun.open());
  afterAll(() => tsrun.close());
  return tsrun;
}
