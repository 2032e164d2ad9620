/**
 * The last steps of a container's process: everything of ours is closed, then the user's command is executed.
 *
 * `execvp` by hand: one execve per directory of PATH. ENOENT and ENOTDIR go on to the next; EACCES goes on too but is what is
 * reported when nothing is found (exec(3)). So the reported errno gives the exit status: 127 not found, 126 cannot be executed.
 */

import type { Process } from '../spec/runtime.ts';
import { call, op } from '../sys/calls.ts';
import { F_DUPFD_CLOEXEC, O_CLOEXEC, PR_SET_PDEATHSIG, SIGKILL } from '../sys/constants.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';

/** Where the report pipe is in the end, unless descriptors of the user are in front of it. */
export const REPORT_FD = 3;

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The command dies with its supervisor, even if that is killed. setresuid(2) clears this, so it is set twice (prctl(2)). */
export const dieWithSupervisor = (): Step =>
  call('container', 'die with the supervisor', 'prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);

/** A failure_record without a failure: NO_OP and 0 (native/protocol.h, SLOT_REPORT). */
const LET_GO = Buffer.from('ffffffff00000000', 'hex');

/** Waits for the supervisor's one byte: from here on the container is on record, and whatever ends this process ends the command. */
export function waitForGo(slots: Slots, barrier: Slot, report: Slot): Step[] {
  const got = slots.new('got');
  return [
    call('container', 'wait until the container is on record', 'read', [barrier, { buffer: 8 }, 1], {
      result: got,
      retry: true,
    }),
    op('container', 'the supervisor must still be there', {
      kind: 'expect',
      value: got,
      equals: 1,
      errno: 'EPIPE',
    }),
    call('container', 'all is set up, and this process the command’s', 'write', [
      report,
      LET_GO,
      LET_GO.length,
    ]),
  ];
}

/**
 * Moves the report pipe to descriptor 3 and closes all others: no descriptor of the host reaches the command, nor can its working
 * directory be one (CVE-2024-21626). `traceFd` stays until execve, which closes it too.
 * @param passed descriptors that the user wants the command to have, as 3, 4, …; the report pipe goes behind them
 */
export function closeEverything(
  slots: Slots,
  report: Slot,
  traceFd: number | undefined,
  passed: readonly number[],
): Step[] {
  const last = REPORT_FD + passed.length;
  if (passed.length > 0) return [...passDescriptors(slots, report, passed), closeFrom(last + 1)];
  const close = (first: number, last: number): Step =>
    call('container', 'close every other descriptor of ours', 'close_range', [first, last, 0]);
  return [
    call('container', 'keep the report pipe until execve', 'dup3', [report, REPORT_FD, O_CLOEXEC]),
    op('container', 'report there', { kind: 'report', fd: REPORT_FD }),
    ...(traceFd === undefined
      ? [close(REPORT_FD + 1, 0xffffffff)]
      : [close(REPORT_FD + 1, traceFd - 1), close(traceFd + 1, 0xffffffff)]),
  ];
}

const closeFrom = (first: number): Step =>
  call('container', 'close every other descriptor of ours', 'close_range', [first, 0xffffffff, 0]);

/** The report pipe may have a number that is wanted, and gets out of the way first. */
function passDescriptors(slots: Slots, report: Slot, passed: readonly number[]): Step[] {
  const aside = slots.new('report.aside');
  const last = REPORT_FD + passed.length;
  return [
    call('container', 'make room for descriptors of the user', 'fcntl', [report, F_DUPFD_CLOEXEC, last + 1], {
      result: aside,
    }),
    op('container', 'report there', { kind: 'report', fd: aside }),
    ...passed.map((fd, i) => call('container', 'a descriptor of the user', 'dup3', [fd, REPORT_FD + i, 0])),
    call('container', 'keep the report pipe until execve', 'dup3', [aside, last, O_CLOEXEC]),
    op('container', 'report there', { kind: 'report', fd: last }),
  ];
}

/** Is the supervisor, which reads the report pipe, still alive? It may have died between two steps above. */
export function checkSupervisor(slots: Slots, fd: number): Step[] {
  const events = slots.new('events');
  const pollfd = {
    fields: [{ width: 4, value: fd } as const, { width: 4, value: 0 } as const],
    say: `[${fd}]`,
  };
  const now = { fields: [{ width: 8, value: 0 } as const, { width: 8, value: 0 } as const], say: '0s' };
  return [
    call('container', 'is the supervisor still there?', 'ppoll', [pollfd, 1, now, 0, 8], { result: events }),
    op('container', 'a hang-up would be an event', {
      kind: 'expect',
      value: events,
      equals: 0,
      errno: 'EPIPE',
    }),
  ];
}

/** Becomes the command. */
export function executeCommand(process: Process): Step[] {
  const [command = ''] = process.args;
  const argv = { strings: process.args };
  const envp = { strings: process.env };
  const attempt = (path: string, last: boolean): Step =>
    call(
      'container',
      last ? `become ${command}` : `become ${command}, if it is here`,
      'execve',
      [path, argv, envp],
      {
        keepEacces: true,
        tolerate: last ? [] : ['ENOENT', 'ENOTDIR', 'EACCES'],
      },
    );
  if (command.includes('/')) return [attempt(command, true)];
  const path = process.env.find((entry) => entry.startsWith('PATH='))?.slice(5) || DEFAULT_PATH;
  const directories = path.split(':').map((directory) => (directory === '' ? '.' : directory));
  return directories.map((directory, i) => attempt(`${directory}/${command}`, i === directories.length - 1));
}
