/**
 * Steps that every helper's start shares: how a child of the supervisor becomes a helper that has nothing but what it needs, and
 * dies when the supervisor does.
 *
 * The order matters. PR_SET_PDEATHSIG tells the kernel to kill the helper when the supervisor dies, but says nothing if it has died
 * already: so afterwards the child looks at its stderr pipe, whose reader is the supervisor, and nobody else once the child has closed
 * its own copy of that end. Signal dispositions and mask are the interpreter's business (native/program.c): a helper that inherits an
 * ignored SIGPIPE (pasta) refuses to start.
 */
import { call, close, op } from '../sys/calls.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  CLOSE_RANGE_CLOEXEC,
  O_RDWR,
  PR_SET_PDEATHSIG,
  SIGCHLD,
  SIGKILL,
} from '../sys/constants.ts';
import type { Actor, Field, Memory, Slot, Slots, Step } from '../sys/step.ts';

const F_SETFD = 2;
const POLLIN = 1;
const RLIMIT_NOFILE = 7;
/** How long a helper may take to be ready, in seconds. It takes 5 to 30 ms; pasta without /dev/net/tun hangs for ever. */
export const READY_TIMEOUT = 10;

/** A word of a helper's command line; slots are written in decimal. */
export type Word = string | { text: readonly (string | Slot)[] };

export interface HelperProcess {
  slots: Slots;
  name: string;
  /** Its executable: an absolute path, or a descriptor (in a process whose root has none). */
  path: string | Slot;
  argv: readonly Word[];
  stderr: Slot | number;
  /** The other end of stderr's pipe, which the parent reads. */
  stderrReader?: Slot | undefined;
  /** Who starts it, and with whom it dies: the supervisor unless said otherwise. */
  parent?: Actor;
  /** As many descriptors as it may have open (RLIMIT_NOFILE). */
  openFiles: number;
  /** Descriptors that it keeps besides 0–2. */
  keep: readonly (Slot | number)[];
  /** Descriptors that are left as they are. */
  keepRange?: { first: number; last: number };
  /** Its steps before it becomes the helper. */
  before?: readonly Step[];
  /** Its working directory. */
  directory: string;
  /** clone3 flags: namespaces of its own. */
  flags?: bigint;
  /** Receives its pidfd. */
  pidfd?: Slot;
}

/** Clones a child of the supervisor that becomes the helper. */
export function startHelper(helper: HelperProcess): Step {
  const { name, pidfd } = helper;
  const child = helperChild(helper);
  const flags = helper.flags ?? 0n;
  return op(helper.parent ?? 'supervisor', `start ${name}`, {
    kind: 'clone',
    flags,
    exitSignal: SIGCHLD,
    ...(pidfd ? { pidfd } : {}),
    child,
  });
}

/** Marks all descriptors but the standard ones, and those of `range`. */
function closeAtExecve(range: HelperProcess['keepRange']): Step[] {
  const why = 'no descriptor of ours reaches it';
  const mark = (first: number, last: number): Step =>
    call('helper', why, 'close_range', [first, last, CLOSE_RANGE_CLOEXEC]);
  return range ? [mark(3, range.first - 1), mark(range.last + 1, 0xffffffff)] : [mark(3, 0xffffffff)];
}

function helperChild(helper: HelperProcess): Step[] {
  const { slots, name, path, argv, stderr, stderrReader, openFiles, keep, directory } = helper;
  const step = (why: string, ...rest: Rest): Step => call('helper', why, ...rest);
  const nothing = slots.new('null');
  const gone = slots.new('gone');
  const reader = pollDescriptors([[2, 0]]);
  return [
    step('die with the supervisor', 'prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]),
    ...(stderrReader ? [close('helper', 'or its own copy would hide that nobody reads', stderrReader)] : []),
    step('nothing to read, nobody to write to', 'openat', [AT_FDCWD, '/dev/null', O_RDWR, 0], {
      result: nothing,
    }),
    step('stdin', 'dup3', [nothing, 0, 0]),
    step('stdout', 'dup3', [nothing, 1, 0]),
    step('what it says is kept for error messages', 'dup3', [stderr, 2, 0]),
    ...closeAtExecve(helper.keepRange),
    ...keep.map((fd) =>
      step(`but it needs this one: ${typeof fd === 'number' ? fd : fd.name}`, 'fcntl', [fd, F_SETFD, 0]),
    ),
    step('is the supervisor, who reads what it says, still there?', 'ppoll', [reader, 1, seconds(0), 0, 8], {
      result: gone,
    }),
    op('helper', 'a hang-up would be an event', { kind: 'expect', value: gone, equals: 0, errno: 'EPIPE' }),
    step('a descriptor for each connection', 'prlimit64', [0, RLIMIT_NOFILE, bothLimits(openFiles), 0], {
      tolerate: ['EPERM'],
    }),
    step('short socket names', 'chdir', [directory]),
    ...(helper.before ?? []),
    typeof path === 'string'
      ? step(`become ${name}`, 'execve', [path, { strings: argv }, { strings: [] }])
      : step(`become ${name}`, 'execveat', [path, '', { strings: argv }, { strings: [] }, AT_EMPTY_PATH]),
  ];
}

type Rest = Parameters<typeof call> extends [unknown, unknown, ...infer R] ? R : never;

/** struct pollfd[] (poll(2)) */
export function pollDescriptors(
  descriptors: readonly (readonly [fd: Slot | number, events: number])[],
): Memory {
  const fields = descriptors.flatMap(([fd, events]): Field[] => [
    typeof fd === 'number' ? { width: 4, value: fd } : { width: 4, from: fd },
    { width: 2, value: events },
    { width: 2, value: 0 },
  ]);
  const names = descriptors.map(([fd]) => (typeof fd === 'number' ? fd : `$${fd.name}`));
  return { fields, say: `[${names.join(', ')}]` };
}

/** struct rlimit64: soft, hard */
const bothLimits = (limit: number): Memory => ({
  fields: [
    { width: 8, value: limit },
    { width: 8, value: limit },
  ],
  say: `${limit}`,
});

/** struct timespec */
export const seconds = (count: number): Memory => ({
  fields: [
    { width: 8, value: count },
    { width: 8, value: 0 },
  ],
  say: `${count}s`,
});

/** Waits until one of `descriptors` is readable or has hung up, at most READY_TIMEOUT. */
export function waitForAny(why: string, descriptors: readonly Slot[], actor: Actor = 'supervisor'): Step {
  const memory = pollDescriptors(descriptors.map((fd) => [fd, POLLIN] as const));
  return call(actor, why, 'ppoll', [memory, descriptors.length, seconds(READY_TIMEOUT), 0, 8], {
    retry: true,
  });
}

/** Reads `length` bytes from `fd` without waiting and fails with ENETDOWN unless they come. */
export function readExactly(
  slots: Slots,
  why: string,
  fd: Slot,
  length: number,
  actor: Actor = 'supervisor',
): Step[] {
  const got = slots.new('got');
  return [
    call(actor, why, 'read', [fd, { buffer: 8 }, length], {
      result: got,
      tolerate: ['EAGAIN'],
      retry: true,
    }),
    op(actor, why, { kind: 'expect', value: got, equals: length, errno: 'ENETDOWN' }),
  ];
}
