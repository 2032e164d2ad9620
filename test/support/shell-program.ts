/** A start program for the supervisor that makes no namespaces: its init is a shell, or another command, of this machine. */

import * as protocol from '../../src/supervisor/protocol.ts';
import { call, close, op, pipe } from '../../src/sys/calls.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_RDWR,
  P_PIDFD,
  SIGCHLD,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  WEXITED,
} from '../../src/sys/constants.ts';
import { type Program, Slot, Slots, type Step } from '../../src/sys/step.ts';

const CLOSE_RANGE_CLOEXEC = 4;
const WNOWAIT = 0x01000000;

const slot = {
  pid: new Slot(protocol.SLOT_INIT_PID, 'pid'),
  pidfd: new Slot(protocol.SLOT_INIT_PIDFD, 'pidfd'),
  stdin: new Slot(protocol.SLOT_STDIN, 'stdin.w'),
  stdout: new Slot(protocol.SLOT_STDOUT, 'stdout.r'),
  stderr: new Slot(protocol.SLOT_STDERR, 'stderr.r'),
  terminal: new Slot(protocol.SLOT_TERMINAL, 'terminal'),
  report: new Slot(protocol.SLOT_REPORT, 'report.r'),
  go: new Slot(protocol.SLOT_GO, 'go.w'),
};

export interface ShellOptions {
  /** Default: /bin/sh -c script */
  argv?: readonly string[];
  terminal?: boolean;
  /** Steps of the supervisor before the clone. */
  before?: (slots: Slots) => Step[];
  /** Steps of the supervisor after the clone. */
  after?: (slots: Slots) => Step[];
  /** Steps of the init before it waits for GO. */
  inside?: (slots: Slots) => Step[];
}

/** The start program that runs `script`. */
export function shell(script: string, options: ShellOptions = {}): Program {
  const slots = new Slots(protocol.SLOT_FIRST_FREE);
  const { argv = ['/bin/sh', '-c', script], terminal = false } = options;
  const report = slots.new('report.w');
  const go = slots.new('go.r');
  const streams = terminal ? terminalStreams(slots) : pipeStreams(slots);
  return {
    slots,
    steps: [
      ...streams.make,
      ...(options.before?.(slots) ?? []),
      pipe('supervisor', 'report', slot.report, report, O_CLOEXEC),
      pipe('supervisor', 'barrier', go, slot.go, O_CLOEXEC),
      op(
        'supervisor',
        'the init',
        {
          kind: 'clone',
          flags: 0n,
          exitSignal: SIGCHLD,
          pidfd: slot.pidfd,
          child: [
            op('container', 'report failures', { kind: 'report', fd: report }),
            call('container', 'its own session', 'setsid', []),
            ...streams.use,
            ...(options.inside?.(slots) ?? []),
            close('container', 'only the supervisor lets it go', slot.go),
            ...waitForGo(slots, go, report),
            call('container', 'no other descriptors', 'close_range', [3, 0xffffffff, CLOSE_RANGE_CLOEXEC]),
            call('container', 'the command', 'execve', [
              argv[0] ?? '',
              { strings: argv },
              { strings: ['PATH=/usr/bin:/bin'] },
            ]),
          ],
        },
        { result: slot.pid },
      ),
      ...[report, go, ...streams.ends].map((end) => close('supervisor', 'the init has it', end)),
      ...(options.after?.(slots) ?? []),
    ],
  };
}

/** A step of the supervisor: waits until the init is dead, and leaves its status to be reaped. */
export const waitForInit = (): Step =>
  call('supervisor', 'wait for the init', 'waitid', [
    P_PIDFD,
    slot.pidfd,
    { buffer: 128 },
    WEXITED | WNOWAIT,
    0,
  ]);

/** A start program whose init is process `pid` (leader of its group), which the supervisor did not make. */
export function adopt(pid: number): Program {
  return {
    slots: new Slots(protocol.SLOT_FIRST_FREE),
    steps: [
      call('supervisor', 'a stranger', 'getpgid', [pid], { result: slot.pid }),
      call('supervisor', 'pin it', 'pidfd_open', [pid, 0], { result: slot.pidfd }),
    ],
  };
}

/** A program that makes an empty file in the container's directory. */
export const touch = (name: string): Program => ({
  slots: new Slots(),
  steps: [
    call('supervisor', 'leave a mark', 'openat', [
      protocol.FD_DIRECTORY,
      name,
      O_RDWR | O_CREAT | O_CLOEXEC,
      0o600,
    ]),
  ],
});

function waitForGo(slots: Slots, go: Slot, report: Slot): Step[] {
  const got = slots.new('got');
  return [
    call('container', 'wait to be let go', 'read', [go, { buffer: 8 }, 1], { result: got, retry: true }),
    op('container', 'the supervisor lives', { kind: 'expect', value: got, equals: 1, errno: 'ECANCELED' }),
    call('container', 'the command’s from here on', 'write', [
      report,
      Buffer.from('ffffffff00000000', 'hex'),
      8,
    ]),
  ];
}

interface Streams {
  make: Step[];
  use: Step[];
  ends: Slot[];
}

function pipeStreams(slots: Slots): Streams {
  const [stdin, stdout, stderr] = [slots.new('stdin.r'), slots.new('stdout.w'), slots.new('stderr.w')];
  return {
    make: [
      pipe('supervisor', 'stdin', stdin, slot.stdin, O_CLOEXEC),
      pipe('supervisor', 'stdout', slot.stdout, stdout, O_CLOEXEC),
      pipe('supervisor', 'stderr', slot.stderr, stderr, O_CLOEXEC),
    ],
    use: [stdin, stdout, stderr].map((fd, i) => call('container', 'a stream', 'dup3', [fd, i, 0])),
    ends: [stdin, stdout, stderr],
  };
}

function terminalStreams(slots: Slots): Streams {
  const slave = slots.new('slave');
  const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  const unlocked = { fields: [{ width: 4 as const, value: 0 }] };
  return {
    make: [
      call('supervisor', 'a pty', 'openat', [AT_FDCWD, '/dev/ptmx', flags, 0], { result: slot.terminal }),
      call('supervisor', 'unlock it', 'ioctl', [slot.terminal, TIOCSPTLCK, unlocked]),
      call('supervisor', 'its other end', 'ioctl', [slot.terminal, TIOCGPTPEER, flags], { result: slave }),
    ],
    use: [
      ...[0, 1, 2].map((fd) => call('container', 'a stream', 'dup3', [slave, fd, 0])),
      call('container', 'its terminal', 'ioctl', [0, TIOCSCTTY, 0]),
    ],
    ends: [slave],
  };
}
