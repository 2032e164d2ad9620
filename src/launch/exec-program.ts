/**
 * `exec`: one more process in a container that runs. It joins every namespace of the container's init through its pidfd, then ends
 * as the init did: same limits, capabilities and seccomp filter, the command last.
 *
 * The pid namespace is joined before the supervisor of the exec starts (setns(2) moves only the caller's *children* there), all
 * others by the process itself. It is not dumpable while it is half a container, and it runs from a sealed copy of our binary, so
 * that nobody inside can reach the host through /proc/PID/exe (CVE-2019-5736).
 */

import type { NamespaceType, RuntimeConfig } from '../spec/runtime.ts';
import { call, op } from '../sys/calls.ts';
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  PR_SET_DUMPABLE,
} from '../sys/constants.ts';
import type { Program, Slot, Step } from '../sys/step.ts';
import { enterCgroup } from './cgroup/enter.ts';
import { dieWithSupervisor } from './command.ts';
import { becomeCommand, type InitContext, pipeStreams } from './init-program.ts';
import { type ChildEnds, startProgram } from './start-program.ts';
import { openTerminal, useTerminal } from './terminal.ts';
import { becomeContainerRoot, hasOwnUsers } from './user-namespace.ts';

export interface ExecOptions
  extends Pick<InitContext, 'canSetGroups' | 'filterCache' | 'cgroups' | 'passed'> {
  /** The container's configuration with the process to be run. */
  config: RuntimeConfig;
  openStdin: boolean;
  /** Descriptor of the supervisor that is the init's pidfd. */
  initPidfd: Slot | number;
}

/** What the exec's supervisor does before its execve. */
export const joinPidNamespace = (initPidfd: Slot | number): Step =>
  call('rootless', 'children of this process are born in the container’s pid namespace', 'setns', [
    initPidfd,
    CLONE_NEWPID,
  ]);

export function execProgram(options: ExecOptions): Program {
  return startProgram({
    config: options.config,
    openStdin: options.openStdin,
    flags: 0n,
    passed: options.passed,
    attach: () => [],
    child: (ends) => execSteps(options, ends),
  });
}

/** A user who has logged in elsewhere may not move a process from there (cgroup-v2.rst, "delegation containment"): then it stays. */
const JOIN_FAILURES = ['EACCES', 'ENOENT', 'EBADF', 'ENODEV'] as const;

const JOINED: Partial<Record<NamespaceType, bigint>> = {
  user: CLONE_NEWUSER,
  mount: CLONE_NEWNS,
  network: CLONE_NEWNET,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  cgroup: CLONE_NEWCGROUP,
};

/** Is the container in a pid namespace that is not the host's? */
export const hasPidNamespace = (config: RuntimeConfig): boolean =>
  config.linux.namespaces.some(({ type }) => type === 'pid');

/** What the new process does, born in the container's pid namespace. */
export function execSteps(
  options: Omit<ExecOptions, 'openStdin'>,
  { slots, streams, report, barrier }: Omit<ChildEnds, 'rootfs'>,
): Step[] {
  const { config } = options;
  const { uid } = config.process.user;
  const size = config.process.consoleSize;
  const terminal = streams.terminalSocket
    ? openTerminal(slots, streams.terminalSocket, uid, size && { rows: size.height, columns: size.width })
    : undefined;
  const users = hasOwnUsers(config);
  // The host's namespaces, where the container shares them, nobody may join, nor needs to.
  const namespaces = config.linux.namespaces.reduce((flags, { type }) => flags | (JOINED[type] ?? 0n), 0n);
  return [
    op('container', 'say which step failed', { kind: 'report', fd: report }),
    call('container', 'nobody may look into this process while it is half a container', 'prctl', [
      PR_SET_DUMPABLE,
      0,
      0,
      0,
      0,
    ]),
    dieWithSupervisor(),
    call('container', 'a session of its own: no terminal of the user', 'setsid', []),
    ...enterCgroup(slots, options.cgroups ?? [], false, JOIN_FAILURES),
    call('container', 'join the container', 'setns', [options.initPidfd, namespaces]),
    ...becomeContainerRoot(config),
    ...(terminal
      ? [...terminal.steps, ...useTerminal(terminal.slave)]
      : pipeStreams(streams, users ? 0 : uid)),
    ...becomeCommand({ ...options, slots, barrier, report }),
  ];
}
