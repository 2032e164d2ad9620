/** Short ways to write steps. They add nothing to what a step says. */
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from './constants.ts';
import { encodeProgram } from './encode.ts';
import type { ErrnoName } from './errno.ts';
import { runImageApart } from './library.ts';
import { nativeRunner, type Runner, SyscallFailure } from './run.ts';
import { type Actor, type Argument, type Op, type Slot, Slots, type Step } from './step.ts';
import type { SyscallName } from './syscall-numbers.ts';

type Extras = Omit<Step, 'actor' | 'why' | 'op'>;

/** One system call as a step. */
export function call(
  actor: Actor,
  why: string,
  name: SyscallName,
  args: readonly Argument[],
  extras: Extras = {},
): Step {
  return { actor, why, op: { kind: 'syscall', name, args }, ...extras };
}

/** Any other op as a step. */
export function op(actor: Actor, why: string, what: Op, extras: Extras = {}): Step {
  return { actor, why, op: what, ...extras };
}

/** pipe2(2) into two slots. */
export function pipe(actor: Actor, why: string, read: Slot, write: Slot, flags: number): Step {
  const ends = {
    fields: [{ width: 4, into: read } as const, { width: 4, into: write } as const],
    say: '[r, w]',
  };
  return call(actor, why, 'pipe2', [ends, flags]);
}

export const close = (actor: Actor, why: string, fd: Slot | number): Step => call(actor, why, 'close', [fd]);

export interface FileWrite {
  /** The last component is what its descriptor is called. */
  path: string | { text: readonly (string | Slot)[] };
  value: string;
  why: string;
  /** Errnos of openat(2) after which nothing is written, and of write(2) after which the program goes on. */
  tolerate?: { open?: readonly ErrnoName[]; write?: readonly ErrnoName[] };
}

/** Writes to a file that is there, such as one of procfs, sysfs or cgroupfs: in one write(2). */
export function writeFile(
  actor: Actor,
  slots: Slots,
  { path, value, why, tolerate = {} }: FileWrite,
): Step[] {
  const last = typeof path === 'string' ? path : String(path.text.at(-1));
  const fd = slots.new(last.slice(last.lastIndexOf('/') + 1));
  const unopened = tolerate.open ? (['EBADF'] as const) : [];
  const tolerated = [...(tolerate.write ?? []), ...unopened];
  return [
    call(actor, why, 'openat', [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0], {
      result: fd,
      ...(tolerate.open && { tolerate: tolerate.open }),
    }),
    call(actor, why, 'write', [fd, value, Buffer.byteLength(value)], { tolerate: tolerated }),
    call(actor, 'written', 'close', [fd], { tolerate: unopened }),
  ];
}

/** Runs one system call in this process and returns its result. @throws SyscallFailure */
export function callNow(
  why: string,
  name: SyscallName,
  args: readonly Argument[],
  runner: Runner = nativeRunner,
): number {
  const slots = new Slots();
  const result = slots.new('result');
  return runner.run({ slots, steps: [call('user', why, name, args, { result })] })(result);
}

/** Makes one system call in another thread of this process, which does not wait for it. @throws SyscallFailure */
export async function callApart(why: string, name: SyscallName, args: readonly Argument[]): Promise<void> {
  const step = call('user', why, name, args);
  const code = await runImageApart(encodeProgram({ slots: new Slots(), steps: [step] }).image);
  if (code !== 0) throw new SyscallFailure(step, -code, () => -1);
}
