/**
 * A program of system calls, as data: what the launch computes, `tsrun explain` prints, and native/program.c executes.
 *
 * A program is a list of steps. Each step says who acts, which system call, and why. A `clone` step carries the steps
 * of its child, so the tree of steps is the tree of processes. Values that exist only at run time (a new fd, a pid) live
 * in slots: a step writes its result into one, later steps pass it on. Memory that the kernel reads or writes is
 * described by {@link Memory}, and laid out by encode.ts.
 */
import type { ErrnoName } from './errno.ts';
import type { SyscallName } from './syscall-numbers.ts';

/** Who executes a step: the user's own process, a process in the rootless namespaces, the supervisor, its network helper, the hub of the bridge networks, the new container. */
export type Actor = 'user' | 'rootless' | 'supervisor' | 'helper' | 'hub' | 'container';

/** A place for a run-time value. Two slots are the same if their index is. */
export class Slot {
  readonly index: number;
  /** How it reads in a printed plan, without the `$`. */
  readonly name: string;
  constructor(index: number, name: string) {
    this.index = index;
    this.name = name;
  }
}

/** Hands out the slots of one program. The first ones may be fixed by a protocol (native/protocol.h). */
export class Slots {
  #next: number;
  constructor(firstFree = 0) {
    this.#next = firstFree;
  }
  new(name: string): Slot {
    return new Slot(this.#next++, name);
  }
  /** How many slots the program has. */
  get count(): number {
    return this.#next;
  }
}

/** A scalar argument. */
export type Scalar = number | bigint | Slot;

/** One member of a C struct. `into` is filled by the kernel and loaded into the slot after the call. */
export type Field =
  | { width: 1 | 2 | 4 | 8; value: number | bigint }
  | { width: 4 | 8; from: Slot }
  | { width: 4 | 8; into: Slot }
  | { pointer: Memory }
  | { bytes: Uint8Array };

/**
 * Memory handed to the kernel by address. A plain string is NUL-terminated UTF-8. An object used in several steps is one and
 * the same memory in all of them.
 */
export type Memory =
  | string
  | Uint8Array
  /** A string with slots in decimal between its parts: `/proc/self/fd/` + fd; `size` receives how many bytes that is. */
  | { text: readonly (string | Slot)[]; size?: Slot }
  /** A NULL-terminated array of strings, as argv and envp are. */
  | { strings: readonly (string | { text: readonly (string | Slot)[] })[] }
  /** A struct; `say` is how it reads in a printed plan. */
  | { fields: readonly Field[]; say?: string }
  /** Zeroed scratch memory of so many bytes. */
  | { buffer: number };

export type Argument = Scalar | Memory;

export interface SyscallOp {
  kind: 'syscall';
  name: SyscallName;
  args: readonly Argument[];
}

/** clone3(2). `pidfd` implies CLONE_PIDFD. The child executes `child` and must end with execve or exit_group. */
export interface CloneOp {
  kind: 'clone';
  flags: bigint;
  exitSignal: number;
  pidfd?: Slot;
  child: readonly Step[];
}

/** Fails with `errno` unless `(value & mask) === equals`. */
export interface ExpectOp {
  kind: 'expect';
  value: Slot;
  equals: number | bigint;
  mask?: bigint;
  errno: ErrnoName;
}

/** Fails with `errno` unless `buffer` (the very object that an earlier step read into) begins with `equals`. */
export interface CompareOp {
  kind: 'compare';
  buffer: Memory;
  equals: string;
  errno: ErrnoName;
}

/** Fails with the errno that `value` holds negated, as an answer of netlink(7) does; goes on if it is not negative. */
export interface CheckOp {
  kind: 'check';
  value: Slot;
}

/**
 * Removes `path` (in directory fd `dir`, or AT_FDCWD) and all below it; symbolic links are not followed. Of cgroups only directories are
 * removed, with which their files go: cgroups(7).
 */
export interface RemoveTreeOp {
  kind: 'remove-tree';
  dir: Scalar;
  path: string;
  cgroups?: true;
}

/**
 * Makes sure that `path` exists inside the directory `root`: a directory, or with `file` something to mount a file on. Missing
 * directories are made on the way with `mode`, also where links lead to what is not there yet.
 */
export interface MakePathOp {
  kind: 'make-path';
  root: Scalar;
  path: string;
  mode: number;
  file?: boolean;
}

/** From here on this process writes a failure_record to `fd` when a step fails. */
export interface ReportOp {
  kind: 'report';
  fd: Scalar;
}

export type Op = SyscallOp | CloneOp | ExpectOp | CompareOp | CheckOp | RemoveTreeOp | MakePathOp | ReportOp;

export interface Step {
  actor: Actor;
  /** One line for a person: why this step exists, not what it does. */
  why: string;
  op: Op;
  /** Where the result goes: an fd, a pid, a byte count. */
  result?: Slot;
  /** Errnos after which the program goes on. */
  tolerate?: readonly ErrnoName[];
  /** Call again on EINTR. */
  retry?: boolean;
  /** A tolerated EACCES is what a later failure reports, as in execvp(3). */
  keepEacces?: boolean;
}

/** Everything the encoder needs. */
export interface Program {
  steps: readonly Step[];
  slots: Slots;
}
