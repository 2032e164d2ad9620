/**
 * Joining the rootless namespaces of a live process costs no setuid helper: a child of ours calls setns(2) on its pidfd. (Never
 * Node itself: the kernel refuses a user namespace to a process with threads.)
 */

import { call, op } from '../sys/calls.ts';
import { CLONE_NEWNS, CLONE_NEWUSER, CLONE_VFORK, CLONE_VM, SIGCHLD } from '../sys/constants.ts';
import type { Step } from '../sys/step.ts';
import type { Entry } from './create-namespaces.ts';

/**
 * @param holder pidfd of a process in the namespaces
 * @param executes what is to be done inside ends with an execve soon: then the child borrows Node's memory until that (CLONE_VFORK), which spares the
 * copy of its page tables and a fault at each page that Node writes next
 */
export function joinNamespaces(
  holder: number,
  entry: Omit<Entry, 'helperOutput'>,
  executes: boolean,
): Step[] {
  const child: Step[] = [
    op('rootless', 'say which step failed', { kind: 'report', fd: entry.report }),
    call('rootless', 'become root in the user’s namespaces, which another container keeps alive', 'setns', [
      holder,
      CLONE_NEWUSER | CLONE_NEWNS,
    ]),
    ...entry.inside,
  ];
  return [
    op(
      'user',
      'make a process that can join namespaces: Node has threads',
      {
        kind: 'clone',
        flags: executes ? CLONE_VM | CLONE_VFORK : 0n,
        exitSignal: SIGCHLD,
        pidfd: entry.pidfd,
        child,
      },
      { result: entry.pid },
    ),
  ];
}
