/**
 * The terminal of a container: a pty of the container's own devpts instance (of the host's, where `-v /dev:/dev` shows that), never
 * the user's (TIOCSTI on a shared terminal types into the user's shell: CVE-2017-5226).
 *
 *     container                                   supervisor
 *       | open /dev/ptmx → master                  |
 *       | set the window size, before anything runs |
 *       | sendmsg(SCM_RIGHTS, master) -----------> | recvmsg: keeps the master
 *       | slave → 0, 1, 2; controlling terminal    |
 */
import { call, close, op } from '../sys/calls.ts';
import {
  AT_FDCWD,
  MSG_CMSG_CLOEXEC,
  O_CLOEXEC,
  O_NOCTTY,
  O_RDWR,
  SCM_RIGHTS,
  SOL_SOCKET,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from '../sys/constants.ts';
import type { Field, Memory, Slot, Slots, Step } from '../sys/step.ts';

export interface WindowSize {
  rows: number;
  columns: number;
}

const u16 = (value: number): Field => ({ width: 2, value });

/** struct msghdr with one byte of data and one descriptor (unix(7), cmsg(3)). */
function message(fd: Field): Memory {
  const control: Memory = {
    fields: [
      { width: 8, value: 20 }, // cmsg_len: header 16 + int 4
      { width: 4, value: SOL_SOCKET },
      { width: 4, value: SCM_RIGHTS },
      fd,
      { width: 4, value: 0 }, // padding
    ],
  };
  const iovec: Memory = { fields: [{ pointer: { buffer: 8 } }, { width: 8, value: 1 }] };
  return {
    fields: [
      { width: 8, value: 0 }, // msg_name
      { width: 8, value: 0 }, // msg_namelen
      { pointer: iovec },
      { width: 8, value: 1 }, // msg_iovlen
      { pointer: control },
      { width: 8, value: 24 }, // msg_controllen
      { width: 8, value: 0 }, // msg_flags
    ],
    say: 'SCM_RIGHTS',
  };
}

/** Opens a pty, sets its size and owner, and hands the master to the supervisor. The slave is left in a slot. */
export function openTerminal(
  slots: Slots,
  socket: Slot,
  uid: number,
  size: WindowSize | undefined,
): { steps: Step[]; slave: Slot } {
  const master = slots.new('terminal.master');
  const slave = slots.new('terminal.slave');
  const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  const steps = [
    call('container', 'a new terminal', 'openat', [AT_FDCWD, '/dev/ptmx', flags, 0], { result: master }),
    call('container', 'unlock its other end', 'ioctl', [
      master,
      TIOCSPTLCK,
      { fields: [{ width: 4, value: 0 }] },
    ]),
    call('container', 'open its other end', 'ioctl', [master, TIOCGPTPEER, flags], { result: slave }),
    call('container', 'the user of the container owns it, group tty as devpts has it', 'fchown', [
      slave,
      uid,
      -1,
    ]),
    call('container', 'and nobody else reads it', 'fchmod', [slave, 0o620]),
  ];
  if (size) {
    const winsize: Memory = {
      fields: [u16(size.rows), u16(size.columns), u16(0), u16(0)],
      say: `${size.rows}x${size.columns}`,
    };
    steps.push(
      call('container', 'its size, before anything runs in it', 'ioctl', [master, TIOCSWINSZ, winsize]),
    );
  }
  const send = message({ width: 4, from: master });
  steps.push(call('container', 'hand it to the supervisor', 'sendmsg', [socket, send, 0], { retry: true }));
  steps.push(close('container', 'the supervisor has it', master));
  return { steps, slave };
}

/** The supervisor's half: waits for the master. Fails with ECONNRESET when the container's process died before. */
export function receiveTerminal(slots: Slots, socket: Slot, master: Slot): Step[] {
  const got = slots.new('got');
  const receive = message({ width: 4, into: master });
  return [
    call('supervisor', 'wait for the container’s terminal', 'recvmsg', [socket, receive, MSG_CMSG_CLOEXEC], {
      result: got,
      retry: true,
    }),
    op('supervisor', 'it must have come', { kind: 'expect', value: got, equals: 1, errno: 'ECONNRESET' }),
    close('supervisor', 'it came', socket),
  ];
}

/** Makes `slave` the stdin, stdout, stderr and controlling terminal. */
export function useTerminal(slave: Slot): Step[] {
  return [
    ...[0, 1, 2].map((fd) =>
      call('container', 'the terminal is its input and output', 'dup3', [slave, fd, 0]),
    ),
    call('container', 'and its controlling terminal', 'ioctl', [0, TIOCSCTTY, 0]),
  ];
}
