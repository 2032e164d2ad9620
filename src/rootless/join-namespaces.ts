/**
 * Joining the rootless namespaces of a live process costs no setuid helper: a child of ours calls setns(2) on its pidfd. (Never
 * Node itself: the kernel refuses a user namespace to a process with threads.)
 */

import { call, op } from '../sys/calls.ts';
import { CLONE_NEWNS, CLONE_NEWUSER, SIGCHLD } from '../sys/constants.ts';
import type { Step } from '../sys/step.ts';
import type { Entry } from './create-namespaces.ts';

/** @param holder pidfd of a process in the namespaces */
export function joinNamespaces(holder: number, entry: Omit<Entry, 'helperOutput'>): Step[] {
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
      { kind: 'clone', flags: 0n, exitSignal: SIGCHLD, pidfd: entry.pidfd, child },
      { result: entry.pid },
    ),
  ];
}
