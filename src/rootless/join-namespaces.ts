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
 * @param borrows the child borrows Node's memory until it executes something or ends, while this thread sleeps (CLONE_VFORK). That spares the
 * copy of Node's page tables and a fault at each page that Node writes next. Not for steps that clone, or need more than a small stack.
 */
export function joinNamespaces(holder: number, entry: Omit<Entry, 'helperOutput'>, borrows: boolean): Step[] {
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
        flags: borrows ? CLONE_VM | CLONE_VFORK : 0n,
        exitSignal: SIGCHLD,
        pidfd: entry.pidfd,
        child,
      },
      { result: entry.pid },
    ),
  ];
}
