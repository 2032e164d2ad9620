/**
 * The supervisor's start program: streams, the container's clone, its network. Run once at each start of the container.
 *
 * The slots that the supervisor looks into when it is done are fixed (native/protocol.h).
 */

import type { NamespaceType, RuntimeConfig } from '../spec/runtime.ts';
import { call, close, op, pipe } from '../sys/calls.ts';
import {
  AF_UNIX,
  AT_FDCWD,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_VFORK,
  CLONE_VM,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  SIGCHLD,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from '../sys/constants.ts';
import { type Program, Slot, Slots, type Step } from '../sys/step.ts';
import type { ProcessStreams } from './init-program.ts';
import { receiveTerminal } from './terminal.ts';
import { giveStreams, userNamespaceSteps } from './user-namespace.ts';

/** The supervisor's slots, as native/protocol.h numbers them. */
export const SUPERVISOR_SLOTS = {
  initPid: new Slot(0, 'init'),
  initPidfd: new Slot(1, 'init.pidfd'),
  stdin: new Slot(2, 'stdin.w'),
  stdout: new Slot(3, 'stdout.r'),
  stderr: new Slot(4, 'stderr.r'),
  terminal: new Slot(5, 'terminal'),
  report: new Slot(6, 'report.r'),
  go: new Slot(7, 'go.w'),
  helpers: new Slot(8, 'helpers.r'),
  /** Of a health program: given to it. */
  target: new Slot(9, 'init.pidfd'),
  notify: new Slot(10, 'notify'),
} as const;
export const FIRST_FREE = 11;

const NAMESPACE_FLAGS: Record<NamespaceType, bigint> = {
  user: CLONE_NEWUSER,
  mount: CLONE_NEWNS,
  pid: CLONE_NEWPID,
  network: CLONE_NEWNET,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  cgroup: CLONE_NEWCGROUP,
  time: CLONE_NEWTIME,
};

/** The clone flags of the namespaces that are to be new. */
export function namespaceFlags(config: RuntimeConfig): bigint {
  return config.linux.namespaces.reduce(
    (flags, { type, path }) => (path === undefined ? flags | NAMESPACE_FLAGS[type] : flags),
    0n,
  );
}

/** What the new process is given; the rest of its life is the caller's. */
export interface ChildEnds {
  slots: Slots;
  /** Steps that mount the root file system. */
  rootfs: readonly Step[];
  streams: ProcessStreams;
  report: Slot;
  barrier: Slot;
}

/** How a root file system comes about, in two processes (src/rootfs has the drivers). */
export interface RootfsSteps {
  /** Before the container is cloned. */
  supervisor: Step[];
  /** In the container, before pivot_root. */
  container: Step[];
}

export interface StartOptions {
  config: RuntimeConfig;
  /** -i: stdin is a pipe; otherwise it is /dev/null */
  openStdin: boolean;
  flags: bigint;
  /** The pid namespace that the container is to be born in, when it is neither a new one nor the supervisor's choice. */
  pidNamespace?: string | undefined;
  /** What mounts the root file system: steps before the clone, and steps of the child. */
  rootfs?: (slots: Slots) => RootfsSteps;
  /** The supervisor's steps before all others. */
  before?: readonly Step[] | undefined;
  child: (ends: ChildEnds) => Step[];
  /** Descriptors that are the container's alone once it is cloned. */
  passed?: readonly number[] | undefined;
  /** Of those, what its stdin, stdout and stderr are instead of pipes. */
  stdio?: readonly number[] | undefined;
  /** The supervisor's steps between clone and barrier: the network. */
  attach: (context: { slots: Slots; initPid: Slot; stderr: Slot; stderrReader: Slot }) => Step[];
  /** Nobody waits for its mounts to be gone: they may outlive it until the supervisor ends. */
  holdsMounts?: boolean | undefined;
  /** The supervisor's steps when all is ready, the container's command being still held back. */
  ready?: ((slots: Slots, initPid: Slot) => Step[]) | undefined;
}

/** @returns the program; its result slots are SUPERVISOR_SLOTS */
export function startProgram(options: StartOptions): Program {
  const slots = new Slots(FIRST_FREE);
  const s = SUPERVISOR_SLOTS;
  const report = slots.new('report.w');
  const barrier = slots.new('go.r');
  const helpersWrite = slots.new('helpers.w');
  const rootfs = options.rootfs?.(slots);
  const users =
    options.flags & CLONE_NEWUSER ? userNamespaceSteps(slots, options.config, s.initPid) : undefined;
  const { steps, streams, ends, receive } = options.config.process.terminal
    ? terminalStreams(slots)
    : options.stdio
      ? givenStreams(options.stdio)
      : pipeStreams(slots, options.openStdin);
  return {
    slots,
    steps: [
      ...(options.before ?? []),
      ...steps,
      ...giveStreams(options.config, ends),
      ...(rootfs?.supervisor ?? []),
      ...(users?.before ?? []),
      pipe('supervisor', 'learn which step of the container fails, if one does', s.report, report, O_CLOEXEC),
      pipe('supervisor', 'hold the command back until the container is on record', barrier, s.go, O_CLOEXEC),
      pipe(
        'supervisor',
        'keep what the network’s helpers say',
        s.helpers,
        helpersWrite,
        O_CLOEXEC | O_NONBLOCK,
      ),
      ...cloneInit(slots, options, report, [
        // PR_SET_PDEATHSIG, which comes later, says nothing of a supervisor that has died before it was asked for.
        close('container', 'see the end of the pipe if the supervisor is killed', s.go),
        ...(users?.child ?? []),
        ...options.child({ slots, streams, report, barrier, rootfs: rootfs?.container ?? [] }),
      ]),
      ...(options.holdsMounts ? [holdMounts(slots)] : []),
      ...(users?.after ?? []),
      ...[report, barrier, ...ends].map((end) =>
        close('supervisor', 'only the container uses this end', end),
      ),
      ...(options.passed ?? []).map((fd) => close('supervisor', 'the container has it now', fd)),
      ...options.attach({ slots, initPid: s.initPid, stderr: helpersWrite, stderrReader: s.helpers }),
      close('supervisor', 'only helpers write there', helpersWrite),
      ...receive,
      ...(options.ready?.(slots, s.initPid) ?? []),
    ],
  };
}

/** The container's first process: its pid and pidfd are in their slots. */
function cloneInit(
  slots: Slots,
  { flags, pidNamespace: path }: StartOptions,
  report: Slot,
  child: readonly Step[],
): Step[] {
  const { initPid, initPidfd } = SUPERVISOR_SLOTS;
  const why = 'make the container’s first process, in namespaces of its own';
  if (path === undefined) {
    const what = { kind: 'clone', flags, exitSignal: SIGCHLD, pidfd: initPidfd, child } as const;
    return [op('supervisor', why, what, { result: initPid })];
  }
  return [
    op('supervisor', 'somebody who may choose where a child is born', {
      kind: 'clone',
      flags: CLONE_VM | CLONE_VFORK,
      exitSignal: SIGCHLD,
      child: bornIn(slots, path, report, { flags, child, why, pid: initPid }),
    }),
    call('supervisor', 'hold on to it', 'pidfd_open', [initPid, 0], { result: initPidfd }),
  ];
}

/**
 * Taking the mounts apart makes the kernel wait for all processors (namespace_unlock() of fs/namespace.c), 1 to 3 ms in which the last
 * process of the namespace has not ended yet. With this descriptor it is the supervisor who waits, when everybody has been told.
 */
function holdMounts(slots: Slots): Step {
  const path = { text: ['/proc/', SUPERVISOR_SLOTS.initPid, '/ns/mnt'] };
  return call(
    'supervisor',
    'its end does not wait for its mounts to be taken apart',
    'openat',
    [AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0],
    { result: slots.new('mount namespace'), tolerate: ['ENOENT', 'EACCES', 'EPERM'] },
  );
}

interface Birth {
  flags: bigint;
  child: readonly Step[];
  why: string;
  /** Where its pid goes, as the supervisor sees it. */
  pid: Slot;
}

/** Steps of a process in between, for the reason that health-program.ts tells: a child of the supervisor, in the pid namespace `path`. */
function bornIn(slots: Slots, path: string, report: Slot, { flags, child, why, pid }: Birth): Step[] {
  const fd = slots.new('pid namespace');
  return [
    op('container', 'say which step failed', { kind: 'report', fd: report }),
    call('container', 'find the pid namespace to join', 'openat', [AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0], {
      result: fd,
    }),
    call('container', 'the next child is born there', 'setns', [fd, CLONE_NEWPID]),
    op(
      'container',
      why,
      { kind: 'clone', flags: flags | CLONE_PARENT, exitSignal: 0, child },
      { result: pid },
    ),
  ];
}

interface Streams {
  steps: Step[];
  streams: ProcessStreams;
  /** Ends that the supervisor closes after the clone. */
  ends: Slot[];
  receive: Step[];
}

function pipeStreams(slots: Slots, openStdin: boolean): Streams {
  const s = SUPERVISOR_SLOTS;
  const stdout = slots.new('stdout.w');
  const stderr = slots.new('stderr.w');
  const steps = [
    pipe('supervisor', 'the container’s stdout', s.stdout, stdout, O_CLOEXEC),
    pipe('supervisor', 'the container’s stderr', s.stderr, stderr, O_CLOEXEC),
  ];
  if (!openStdin) return { steps, streams: { stdout, stderr }, ends: [stdout, stderr], receive: [] };
  const stdin = slots.new('stdin.r');
  steps.unshift(pipe('supervisor', 'the container’s stdin', stdin, s.stdin, O_CLOEXEC));
  return { steps, streams: { stdin, stdout, stderr }, ends: [stdin, stdout, stderr], receive: [] };
}

/** They are somebody's already: nothing is made, and nothing comes through the supervisor. */
const givenStreams = ([stdin, stdout, stderr]: readonly number[]): Streams => ({
  steps: [],
  streams: { stdin, stdout, stderr },
  ends: [],
  receive: [],
});

function terminalStreams(slots: Slots): Streams {
  const ours = slots.new('terminal.ours');
  const theirs = slots.new('terminal.theirs');
  const pair = {
    fields: [{ width: 4, into: ours } as const, { width: 4, into: theirs } as const],
    say: '[a, b]',
  };
  return {
    steps: [
      call('supervisor', 'the container sends its terminal here', 'socketpair', [
        AF_UNIX,
        SOCK_STREAM | SOCK_CLOEXEC,
        0,
        pair,
      ]),
    ],
    streams: { terminalSocket: theirs },
    ends: [theirs],
    receive: receiveTerminal(slots, ours, SUPERVISOR_SLOTS.terminal),
  };
}
