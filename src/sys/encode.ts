/**
 * Lays a {@link Program} out as the image that native/program.c executes. The format is drawn in native/program.h.
 *
 * One step becomes one op for its call, preceded by STORE and TEXT ops for members and strings that hold slots, followed by LOAD
 * ops for members that the kernel fills. Children come after their parent's list, each list closed by an END, so that the main list
 * is first. `stepOf` leads back from the index of a failed or traced op to its step.
 */
import { DataArea, type Patch, type Placed, type TextPatch } from './data-area.ts';
import { ERRNO, type ErrnoName } from './errno.ts';
import * as format from './format.ts';
import type { Argument, CloneOp, Memory, Op, Program, Scalar, Step } from './step.ts';
import { Slot } from './step.ts';
import { type Architecture, syscallNumber } from './syscall-numbers.ts';

export interface EncodedProgram {
  /** Executed in place: slots, results and buffers are read back from it. 8-byte aligned. */
  image: Buffer;
  /** The step behind each op. */
  stepOf: readonly Step[];
  program: Program;
}

interface EncodedOp {
  kind: number;
  flags: number;
  result: number;
  nr: number;
  tolerate: readonly ErrnoName[];
  args: readonly EncodedArgument[];
}

type EncodedArgument = readonly [kind: number, value: number | bigint];

const CLONE_PIDFD = 0x1000n;
const CLONE_ARGS_SIZE = 88;
const AUX = { flags: 0, result: format.NO_SLOT, nr: 0, tolerate: [] as readonly ErrnoName[] };

const immediate = (value: number | bigint): EncodedArgument => [format.ARG_IMMEDIATE, value];
const fromSlot = (slot: Slot): EncodedArgument => [format.ARG_SLOT, slot.index];
const data = (offset: number): EncodedArgument => [format.ARG_DATA, offset];
const scalar = (value: Scalar): EncodedArgument =>
  value instanceof Slot ? fromSlot(value) : immediate(value);
const isScalar = (value: Argument): value is Scalar =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Slot;

/** @throws RangeError for a system call that `architecture` does not have, a clone without steps, or a program over the limits of the format */
export function encodeProgram(
  program: Program,
  architecture: Architecture = process.arch as Architecture,
): EncodedProgram {
  const encoder = new Encoder(architecture);
  encoder.list(program.steps);
  return { image: encoder.finish(program.slots.count), stepOf: encoder.stepOf, program };
}

class Encoder {
  readonly #architecture: Architecture;
  readonly #data = new DataArea();
  readonly #ops: EncodedOp[] = [];
  readonly stepOf: Step[] = [];

  constructor(architecture: Architecture) {
    this.#architecture = architecture;
  }

  /** Encodes one process's steps, then those of its children. */
  list(steps: readonly Step[]): void {
    const children: { at: number; op: CloneOp }[] = [];
    for (const step of steps) {
      if (step.op.kind === 'clone') children.push({ at: this.#clone(step, step.op), op: step.op });
      else this.#call(step, step.op);
    }
    const last = steps.at(-1);
    if (last) this.#emit(last, { ...AUX, kind: format.OP_END, args: [] });
    for (const { at, op } of children) {
      const clone = this.#ops[at];
      if (clone) clone.nr = this.#ops.length;
      this.list(op.child);
    }
  }

  finish(slotCount: number): Buffer {
    const area = this.#data.finish();
    const relocations = this.#data.relocations;
    const relocationsSize = 8 * Math.ceil(relocations.length / 2);
    const opsAt = format.PROGRAM_HEADER_SIZE + 8 * slotCount;
    const relocationsAt = opsAt + format.OP_SIZE * this.#ops.length;
    const size = relocationsAt + relocationsSize + area.length;
    if (size > format.PROGRAM_MAX_SIZE || slotCount > format.PROGRAM_MAX_SLOTS) {
      throw new RangeError(
        `a program of ${size} bytes and ${slotCount} slots is over the limits of its format`,
      );
    }
    const image = Buffer.from(new ArrayBuffer(size));
    // Little-endian, as both architectures and the format are; a program is not executed elsewhere than where it was made.
    const words = new Uint32Array(image.buffer, 0, relocationsAt / 4 + relocations.length);
    words.set([format.PROGRAM_MAGIC, size, slotCount, this.#ops.length, relocations.length, area.length, -1]);
    words.fill(0xffffffff, format.PROGRAM_HEADER_SIZE / 4, opsAt / 4);
    this.#ops.forEach((op, index) => {
      writeOp(words, (opsAt + format.OP_SIZE * index) / 4, op);
    });
    words.set(relocations, relocationsAt / 4);
    image.set(area, relocationsAt + relocationsSize);
    return image;
  }

  #emit(step: Step, op: EncodedOp): number {
    this.stepOf.push(step);
    return this.#ops.push(op) - 1;
  }

  #own(step: Step): Pick<EncodedOp, 'flags' | 'result' | 'tolerate'> {
    return {
      flags: (step.retry ? format.OP_RETRY : 0) | (step.keepEacces ? format.OP_KEEP_EACCES : 0),
      result: step.result?.index ?? format.NO_SLOT,
      tolerate: step.tolerate ?? [],
    };
  }

  #call(step: Step, op: Exclude<Op, CloneOp>): void {
    switch (op.kind) {
      case 'syscall': {
        const nr = syscallNumber(op.name, this.#architecture);
        if (nr === undefined) throw new RangeError(`${this.#architecture} has no system call ${op.name}`);
        const placed = op.args.map((arg) => (isScalar(arg) ? undefined : this.#data.place(arg)));
        const args = op.args.map((arg, i) => (isScalar(arg) ? scalar(arg) : data(placed[i]?.offset ?? 0)));
        this.#around(step, placed, { ...this.#own(step), kind: format.OP_SYSCALL, nr, args });
        return;
      }
      case 'expect':
        this.#emit(step, {
          ...this.#own(step),
          kind: format.OP_EXPECT,
          nr: 0,
          args: [
            fromSlot(op.value),
            immediate(op.equals),
            immediate(ERRNO[op.errno]),
            immediate(op.mask ?? -1n),
          ],
        });
        return;
      case 'compare': {
        const equals = Buffer.from(op.equals);
        const args = [data(this.#data.place(op.buffer).offset), data(this.#data.place(equals).offset)];
        args.push(immediate(ERRNO[op.errno]));
        this.#emit(step, { ...this.#own(step), kind: format.OP_COMPARE, nr: equals.length, args });
        return;
      }
      case 'check':
        this.#emit(step, { ...this.#own(step), kind: format.OP_CHECK, nr: 0, args: [fromSlot(op.value)] });
        return;
      case 'remove-tree': {
        const args = [scalar(op.dir), data(this.#data.place(op.path).offset)];
        this.#emit(step, { ...this.#own(step), kind: format.OP_REMOVE_TREE, nr: 0, args });
        return;
      }
      case 'make-path': {
        const args = [scalar(op.root), data(this.#data.place(op.path).offset), immediate(op.file ? 1 : 0)];
        this.#emit(step, { ...this.#own(step), kind: format.OP_MAKE_PATH, nr: op.mode, args });
        return;
      }
      case 'report':
        this.#emit(step, { ...this.#own(step), kind: format.OP_REPORT, nr: 0, args: [scalar(op.fd)] });
    }
  }

  #clone(step: Step, op: CloneOp): number {
    // Without an END of its own it would go on at the next list, which is another process's.
    if (op.child.length === 0) throw new RangeError(`a child that does nothing: ${step.why}`);
    const args = this.#data.place(cloneArgs(op));
    const placed: Placed = { ...args };
    return this.#around(step, [placed], {
      ...this.#own(step),
      kind: format.OP_CLONE,
      nr: 0,
      args: [data(args.offset), immediate(CLONE_ARGS_SIZE)],
    });
  }

  /** Emits `op` with what its memory needs before and after it; returns the index of `op` itself. */
  #around(step: Step, placed: readonly (Placed | undefined)[], op: EncodedOp): number {
    for (const memory of placed) {
      memory?.stores.forEach((patch) => {
        this.#store(step, patch);
      });
      memory?.texts.forEach((patch) => {
        this.#text(step, patch);
      });
    }
    const index = this.#emit(step, op);
    for (const memory of placed) {
      memory?.loads.forEach((patch) => {
        this.#load(step, patch);
      });
    }
    return index;
  }

  #store(step: Step, patch: Patch): void {
    const args = [data(patch.offset), fromSlot(patch.slot)];
    this.#emit(step, { ...AUX, kind: format.OP_STORE, nr: patch.width, args });
  }

  #load(step: Step, patch: Patch): void {
    const args = [data(patch.offset)];
    this.#emit(step, { ...AUX, kind: format.OP_LOAD, nr: patch.width, result: patch.slot.index, args });
  }

  #text(step: Step, patch: TextPatch): void {
    // The string may have been built before (a restart, a second use): empty it first.
    this.#emit(step, { ...AUX, kind: format.OP_STORE, nr: 4, args: [data(patch.offset), immediate(0)] });
    for (const part of patch.parts) {
      const third = part instanceof Slot ? fromSlot(part) : data(this.#data.place(part).offset);
      const args = [data(patch.offset), immediate(patch.capacity), third];
      this.#emit(step, { ...AUX, kind: format.OP_TEXT, args });
    }
  }
}

/** struct clone_args of clone3(2), version 2 (88 bytes). */
function cloneArgs(op: CloneOp): Memory {
  const zero = { width: 8, value: 0 } as const;
  const pidfd: Memory | undefined = op.pidfd && { fields: [{ width: 4, into: op.pidfd }] };
  return {
    fields: [
      { width: 8, value: op.flags | (pidfd ? CLONE_PIDFD : 0n) },
      pidfd ? { pointer: pidfd } : zero,
      zero, // child_tid
      zero, // parent_tid
      { width: 8, value: op.exitSignal },
      ...Array.from({ length: 6 }, () => zero), // stack, stack_size, tls, set_tid, set_tid_size, cgroup
    ],
  };
}

/**
 * struct op, as words of 32 bits. A start has hundreds of ops, written by code that V8 has not optimised yet: BigInts and Buffer's
 * methods took five times as long.
 */
function writeOp(words: Uint32Array, at: number, op: EncodedOp): void {
  const [first = 0, second = 0, third = 0, fourth = 0, tooMany] = op.tolerate.map((name) => ERRNO[name]);
  if (tooMany !== undefined) throw new RangeError('a step tolerates at most four errnos');
  words[at] = op.kind | (op.flags << 8) | (op.result << 16);
  words[at + 1] = op.nr;
  words[at + 2] = first | (second << 16);
  words[at + 3] = third | (fourth << 16);
  for (let i = 0; i < op.args.length; i++) {
    const [kind, value] = op.args[i] as EncodedArgument;
    const kinds = at + 4 + (i >> 2);
    words[kinds] = (words[kinds] ?? 0) | (kind << (8 * (i & 3)));
    writeInteger(words, at + 6 + 2 * i, value);
  }
}

/** A 64-bit integer in two's complement, lower word first. */
function writeInteger(words: Uint32Array, at: number, value: number | bigint): void {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    words[at] = value;
    words[at + 1] = Math.floor(value / 2 ** 32);
    return;
  }
  const bits = BigInt.asUintN(64, BigInt(value));
  words[at] = Number(bits & 0xffffffffn);
  words[at + 1] = Number(bits >> 32n);
}
