/** Runs a program of the host as root of the rootless namespaces. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { type InsideProcess, type Rootless, spawnInside } from '../rootless/enter.ts';
import { NamespaceFailure } from '../rootless/namespace-failure.ts';
import type { ExitStatus } from '../supervisor/exit-status.ts';
import { call } from '../sys/calls.ts';
import { MFD_CLOEXEC } from '../sys/constants.ts';
import { ERRNO } from '../sys/errno.ts';
import { nativeRunner, systemWords } from '../sys/run.ts';
import { Slots, type Step } from '../sys/step.ts';
import { waitForExit } from '../sys/wait.ts';
import type { Engine } from './open-engine.ts';

/** What a failed execve of a program of this machine means for the user; other failures are the namespaces'. */
function refuseProgram(error: unknown, command: string): never {
  const failure = error instanceof NamespaceFailure ? error.failure : undefined;
  if (
    failure?.step.op.kind === 'syscall' &&
    failure.step.op.name === 'execve' &&
    failure.step.actor === 'rootless'
  ) {
    const words = systemWords(failure.step, failure.errno);
    const absent = failure.errno === ERRNO.ENOENT || failure.errno === ERRNO.ENOTDIR;
    throw tsrunError(
      absent ? 'ERR_TSRUN_HOST_COMMAND_NOT_FOUND' : 'ERR_TSRUN_HOST_COMMAND_NOT_EXECUTABLE',
      { command },
      words,
    );
  }
  throw error;
}

/**
 * Runs `argv` with this process's streams, after the steps `before`, and waits for it: `tsrun unshare`.
 * @throws ERR_TSRUN_NAMESPACES, ERR_TSRUN_HOST_COMMAND_NOT_FOUND, ERR_TSRUN_HOST_COMMAND_NOT_EXECUTABLE
 */
export function runAttachedInside(
  rootless: Rootless,
  path: string,
  argv: readonly string[],
  env: readonly string[],
  before: (slots: Slots) => readonly Step[] = () => [],
): ExitStatus {
  let child: InsideProcess;
  try {
    child = spawnInside(rootless, { path, argv, env, fds: [0, 1, 2] }, before);
  } catch (error) {
    refuseProgram(error, argv[0] ?? path);
  }
  try {
    return waitForExit(child.pidfd);
  } finally {
    closeSync(child.pidfd);
  }
}

/** Runs `argv` quietly, after the steps `before`; its stderr is the cause when it fails. @throws ERR_TSRUN_STORE, ERR_TSRUN_NAMESPACES */
export async function runCommandInside(
  engine: Engine,
  argv: readonly string[],
  doing: string,
  before: (slots: Slots) => readonly Step[] = () => [],
): Promise<void> {
  const slots = new Slots();
  const output = slots.new('output');
  const made = nativeRunner.run({
    slots,
    steps: [call('user', 'keep its words', 'memfd_create', ['output', MFD_CLOEXEC], { result: output })],
  })(output);
  const nothing = openSync('/dev/null', 'r+');
  try {
    const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C'];
    const rootless = engine.rootless();
    const program = { path: argv[0] ?? '', argv, env, fds: [nothing, made, made] };
    const child = spawnInside(rootless, program, before);
    const status = waitForExit(child.pidfd);
    closeSync(child.pidfd);
    if (status.kind === 'exited' && status.code === 0) return;
    throw tsrunError('ERR_TSRUN_STORE', { doing }, readFileSync(`/proc/self/fd/${made}`, 'utf8').trim());
  } finally {
    closeSync(nothing);
    closeSync(made);
  }
}
