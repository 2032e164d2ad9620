/**
 * The one way into the rootless namespaces, for supervisors, the unpacker, removal, `tsrun unshare`: joins them where a process
 * holds them, makes them where none does.
 */
import { closeSync, readFileSync, readSync } from 'node:fs';
import { call, close, pipe } from '../sys/calls.ts';
import {
  AT_FDCWD,
  CLOSE_RANGE_CLOEXEC,
  F_DUPFD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
  SIGKILL,
} from '../sys/constants.ts';
import { type EncodedProgram, encodeProgram } from '../sys/encode.ts';
import { ERRNO } from '../sys/errno.ts';
import { FAILURE_RECORD_SIZE } from '../sys/format.ts';
import { nativeRunner, type Results, runEncoded, SyscallFailure } from '../sys/run.ts';
import { type Program, type Slot, Slots, type Step } from '../sys/step.ts';
import { waitForEnd, waitForSuccess } from '../sys/wait.ts';
import { createNamespaces } from './create-namespaces.ts';
import type { IdMaps } from './id-map.ts';
import { joinNamespaces } from './join-namespaces.ts';
import { NamespaceFailure } from './namespace-failure.ts';
import { rootlessMaps } from './subordinate-ids.ts';

/** How to get in. */
export interface Rootless {
  maps: IdMaps & { single: boolean };
  /** pidfd of a process to join; undefined = make new namespaces. The caller closes it. */
  holder: number | undefined;
}

export const newRootless = (): Rootless => ({ maps: rootlessMaps(), holder: undefined });

export interface EnterPlan extends Program {
  pid: Slot;
  pidfd: Slot;
  reportRead: Slot;
  helperOutput: Slot;
}

/**
 * The program that runs `inside` in the namespaces.
 * @param wait the steps end with success only if `inside` did
 * @param borrows see joinNamespaces(); what ends with execve always does
 */
export function planEntry(
  rootless: Rootless,
  slots: Slots,
  inside: readonly Step[],
  wait: boolean,
  borrows = !wait,
): EnterPlan {
  const pid = slots.new('child');
  const pidfd = slots.new('child.pidfd');
  const reportRead = slots.new('report.r');
  const report = slots.new('report.w');
  const helperOutput = slots.new('helpers');
  const entry = { slots, pid, pidfd, report, helperOutput, inside };
  const enter =
    rootless.holder === undefined
      ? createNamespaces(rootless.maps, entry)
      : joinNamespaces(rootless.holder, entry, borrows);
  const steps = [
    pipe(
      'user',
      'learn which step of the child fails, if one does',
      reportRead,
      report,
      O_CLOEXEC | (wait ? O_NONBLOCK : 0),
    ),
    ...enter,
    close('user', 'only the child reports', report),
    ...(wait ? waitForSuccess('user', 'wait for it', pidfd, slots) : []),
  ];
  return { steps, slots, pid, pidfd, reportRead, helperOutput };
}

/** Runs a planned entry. @throws NamespaceFailure with the step that truly failed, be it ours or the child's */
export function runEntry(
  plan: EnterPlan,
  encoded: EncodedProgram = encodeProgram(plan),
  traceFd?: number,
): Results {
  try {
    return runEncoded(encoded, traceFd === undefined ? {} : { traceFd });
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    doNotBlock(error.results(plan.reportRead));
    const truth = childFailure(plan, encoded, error.results) ?? error;
    const helperOutput = readMemfd(error.results(plan.helperOutput));
    endChild(error.results(plan.pidfd));
    closeAll(plan, error.results);
    throw new NamespaceFailure(truth, helperOutput);
  }
}

const F_SETFL = 4;

/** When a step of ours failed, the pipe's other end is still open, here and in a child that waits for its ids: it may never say anything. */
function doNotBlock(fd: number): void {
  if (fd < 0) return;
  const steps = [call('user', 'take only what is there', 'fcntl', [fd, F_SETFL, O_NONBLOCK])];
  nativeRunner.run({ slots: new Slots(), steps });
}

/** A child that waits for its ids would wait, and hold what it has inherited (locks among it), as long as this process lives. Leaves `pidfd` open. */
export function endChild(pidfd: number): void {
  if (pidfd < 0) return;
  const slots = new Slots();
  nativeRunner.run({
    slots,
    steps: [
      call('user', 'it has nothing to wait for any more', 'pidfd_send_signal', [pidfd, SIGKILL, 0, 0], {
        tolerate: ['ESRCH'],
      }),
      waitForEnd('user', 'take leave of it', pidfd),
    ],
  });
}

/** Reads the failure record of the child, if there is one. */
function childFailure(
  plan: EnterPlan,
  encoded: EncodedProgram,
  results: Results,
): SyscallFailure | undefined {
  const fd = results(plan.reportRead);
  if (fd < 0) return undefined;
  const record = Buffer.alloc(FAILURE_RECORD_SIZE);
  try {
    if (readSync(fd, record) !== FAILURE_RECORD_SIZE) return undefined;
  } catch {
    return undefined; // EAGAIN: the child has not failed
  }
  const step = encoded.stepOf[record.readUInt32LE(0)];
  return step && new SyscallFailure(step, record.readInt32LE(4), results);
}

function readMemfd(fd: number): string {
  return fd < 0 ? '' : readFileSync(`/proc/self/fd/${fd}`, 'utf8').trim();
}

function closeAll(plan: EnterPlan, results: Results): void {
  for (const slot of [plan.pidfd, plan.reportRead, plan.helperOutput]) {
    const fd = results(slot);
    if (fd >= 0) closeSync(fd);
  }
}

/**
 * Does `act`; if the process whose namespaces it was to join has ended in the meantime, does it once more with new ones: that process
 * may be the supervisor of a container that ends at this very moment.
 */
export function enter<T>(rootless: Rootless, act: (rootless: Rootless) => T): T {
  try {
    return act(rootless);
  } catch (error) {
    if (rootless.holder === undefined || !isHolderGone(error)) throw error;
    return act({ ...rootless, holder: undefined });
  }
}

/** setns(2) on the pidfd of a process that has exited */
function isHolderGone(error: unknown): boolean {
  if (!(error instanceof NamespaceFailure)) return false;
  const { step, errno } = error.failure;
  return step.op.kind === 'syscall' && step.op.name === 'setns' && errno === ERRNO.ESRCH;
}

/**
 * Runs steps of actor `rootless` inside and waits for them.
 * @param slots those that the steps use already
 * @param borrows see joinNamespaces()
 * @throws NamespaceFailure
 */
export function runInside(
  rootless: Rootless,
  steps: (slots: Slots) => readonly Step[],
  slots = new Slots(),
  borrows = false,
): void {
  enter(rootless, (way) => {
    const plan = planEntry(way, slots, steps(slots), true, borrows);
    closeAll(plan, runEntry(plan));
  });
}

/** Removes a directory tree whatever ids own its files. @throws NamespaceFailure */
export function removeTreeInside(rootless: Rootless, paths: readonly string[]): void {
  runInside(rootless, () =>
    paths.map((path) => ({
      actor: 'rootless' as const,
      why: 'remove it as root of the namespaces: sub-ids own files in it',
      op: { kind: 'remove-tree' as const, dir: AT_FDCWD, path },
    })),
  );
}

/** A process started inside. */
export interface InsideProcess {
  pid: number;
  pidfd: number;
}

/**
 * Starts a program inside, not waiting for it. `fds[i]` becomes its descriptor i; all others are closed.
 * The caller reaps it (waitid on the pidfd) and closes the pidfd. @throws NamespaceFailure also when execve failed
 */
export function spawnInside(
  rootless: Rootless,
  program: { path: string; argv: readonly string[]; env: readonly string[]; fds: readonly number[] },
  before: (slots: Slots) => readonly Step[] = () => [],
): InsideProcess {
  const slots = new Slots();
  const why = 'give the program its descriptors';
  // First out of the way of the targets, then into place.
  const parked = program.fds.map((_, i) => slots.new(`fd${i}`));
  const inside: Step[] = [
    ...before(slots),
    ...program.fds.map((fd, i) =>
      call('rootless', why, 'fcntl', [fd, F_DUPFD_CLOEXEC, 64], { result: parked[i] as Slot }),
    ),
    ...program.fds.map((_, i) => call('rootless', why, 'dup3', [parked[i] as Slot, i, 0])),
    call('rootless', 'give it no other', 'close_range', [
      program.fds.length,
      0xffffffff,
      CLOSE_RANGE_CLOEXEC,
    ]),
    call('rootless', 'run it', 'execve', [program.path, { strings: program.argv }, { strings: program.env }]),
  ];
  return enter(rootless, (way) => {
    const plan = planEntry(way, slots, inside, false);
    const encoded = encodeProgram(plan);
    const results = runEntry(plan, encoded);
    awaitExecve(plan, encoded, results);
    closeSync(results(plan.reportRead));
    if (results(plan.helperOutput) >= 0) closeSync(results(plan.helperOutput));
    return { pid: results(plan.pid), pidfd: results(plan.pidfd) };
  });
}

/** Waits until the child has execve'd. @throws NamespaceFailure when it could not; the descriptors are closed then */
export function awaitExecve(plan: EnterPlan, encoded: EncodedProgram, results: Results): void {
  const failure = childFailure(plan, encoded, results); // end of file on the report pipe: it has
  if (!failure) return;
  closeAll(plan, results);
  throw new NamespaceFailure(failure, '');
}
