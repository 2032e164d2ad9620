/** A running worker, as the starter sees it; and how to get one by src/rootless. */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { type Rootless, spawnInside } from '../../rootless/enter.ts';
import { call, pipe } from '../../sys/calls.ts';
import { O_CLOEXEC, SIGKILL } from '../../sys/constants.ts';
import { nativeRunner } from '../../sys/run.ts';
import { Slots, type Step } from '../../sys/step.ts';
import { waitForExit } from '../../sys/wait.ts';

export interface UnpackProcess {
  stdin: Writable;
  stderr: Readable;
  /** The worker's fd 3. */
  result: Readable;
  /** SIGKILL; nothing when it has ended. */
  kill(): void;
  /** After `result` has ended: waits for the process and says how it ended ("with status 1", "by signal 9"). Once. */
  reap(): string;
}

export interface StartExtras {
  /** The worker's fd 1; its stderr by default. The caller keeps it. */
  output?: number;
}

/** Runs `argv` (a program by its path, and its arguments) in the rootless namespaces. */
export type StartInNamespaces = (argv: readonly string[], extras?: StartExtras) => UnpackProcess;

/** Pipe buffers that hold a few of zlib's chunks, so that both sides work at once (fcntl(2); 1 MiB is what a user may have). */
const F_SETPIPE_SZ = 1031;
const PIPE_SIZE = 1 << 20;

/** @param before steps in the namespaces, before the worker is executed */
export const startByRootless =
  (rootless: Rootless, before: (slots: Slots) => readonly Step[] = () => []): StartInNamespaces =>
  (argv, { output } = {}) => {
    const [input, result, errors] = makePipes();
    const path = argv[0] ?? '';
    const env = Object.entries(process.env).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value}`],
    );
    const theirs = [input.read, errors.write, result.write];
    const fds = [input.read, output ?? errors.write, errors.write, result.write];
    const child = spawnInside(rootless, { path, argv, env, fds }, before);
    for (const fd of theirs) closeSync(fd);
    let isReaped = false;
    return {
      stdin: new Socket({ fd: input.write, readable: false, writable: true }),
      stderr: new Socket({ fd: errors.read, readable: true, writable: false }),
      result: new Socket({ fd: result.read, readable: true, writable: false }),
      kill: () => {
        if (!isReaped) killByPidfd(child.pidfd);
      },
      reap: () => {
        isReaped = true;
        try {
          const end = waitForExit(child.pidfd);
          return end.kind === 'exited' ? `with status ${end.code}` : `by signal ${end.signal}`;
        } finally {
          closeSync(child.pidfd);
        }
      },
    };
  };

interface PipeEnds {
  read: number;
  write: number;
}

/** Three pipes: input, result, errors. */
function makePipes(): [PipeEnds, PipeEnds, PipeEnds] {
  const slots = new Slots();
  const ends = ['input', 'result', 'errors'].map(
    (name) => [slots.new(`${name}.r`), slots.new(`${name}.w`)] as const,
  );
  const steps = ends.map(([read, write]) => pipe('user', 'talk to the unpacker', read, write, O_CLOEXEC));
  const [, inputWrite] = ends[0] ?? [];
  if (inputWrite) {
    const args = [inputWrite, F_SETPIPE_SZ, PIPE_SIZE];
    // EPERM: the user's pipes hold too much already (pipe-user-pages-soft); a small one is as good, if slower
    steps.push(call('user', 'let both sides work at once', 'fcntl', args, { tolerate: ['EPERM'] }));
  }
  const results = nativeRunner.run({ slots, steps });
  const [input, result, errors] = ends.map(([read, write]) => ({
    read: results(read),
    write: results(write),
  }));
  if (!input || !result || !errors) throw new Error('no pipes');
  return [input, result, errors];
}

function killByPidfd(pidfd: number): void {
  const slots = new Slots();
  const args = [pidfd, SIGKILL, 0, 0];
  nativeRunner.run({
    slots,
    steps: [call('user', 'stop the unpacker', 'pidfd_send_signal', args, { tolerate: ['ESRCH'] })],
  });
}
