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

const CLONE_PIDFD = 0x1000n;
const CLONE_ARGS_SIZE = 88;
const OP_WORDS = format.OP_SIZE / 4;
const FIRST_CAPACITY = 64;

const isScalar = (value: Argument): value is Scalar =>
  typeof value === 'number' ||
  (typeof value !== 'string' && (value instanceof Slot || typeof value === 'bigint'));

/** @throws RangeError for a system call that `architecture` does not have, a clone without steps, or a program over the limits of the format */
export function encodeProgram(
  program: Program,
  architecture: Architecture = process.arch as Architecture,
): EncodedProgram {
  const encoder = new Encoder(architecture);
  encoder.list(program.steps);
  return { image: encoder.finish(program.slots.count), stepOf: encoder.stepOf, program };
}

/**
 * A start has hundreds of ops, written by code that V8 has not optimised yet. They are therefore written where they will be, as words
 * of 32 bits: objects for them, BigInts and Buffer's methods took five times as long.
 */
class Encoder {
  readonly #architecture: Architecture;
  readonly #data = new DataArea();
  #words = new Uint32Array(FIRST_CAPACITY * OP_WORDS);
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
    if (last) this.#auxiliary(last, format.OP_END, 0);
    for (const { at, op } of children) {
      this.#words[at * OP_WORDS + 1] = this.stepOf.length;
      this.list(op.child);
    }
  }

  finish(slotCount: number): Buffer {
    const area = this.#data.finish();
    const { relocations } = this.#data;
    const opCount = this.stepOf.length;
    const relocationsSize = 8 * Math.ceil(relocations.length / 2);
    const opsAt = format.PROGRAM_HEADER_SIZE + 8 * slotCount;
    const relocationsAt = opsAt + format.OP_SIZE * opCount;
    const size = relocationsAt + relocationsSize + area.length;
    if (size > format.PROGRAM_MAX_SIZE || slotCount > format.PROGRAM_MAX_SLOTS) {
      throw new RangeError(
        `a program of ${size} bytes and ${slotCount} slots is over the limits of its format`,
      );
    }
    const image = Buffer.alloc(size); // an ArrayBuffer of its own, as it is filled with zeros
    // Little-endian, as both architectures and the format are; a program is not executed elsewhere than where it was made.
    const words = new Uint32Array(image.buffer, 0, relocationsAt / 4 + relocations.length);
    words.set([format.PROGRAM_MAGIC, size, slotCount, opCount, relocations.length, area.length, -1]);
    words.fill(0xffffffff, format.PROGRAM_HEADER_SIZE / 4, opsAt / 4);
    words.set(this.#words.subarray(0, opCount * OP_WORDS), opsAt / 4);
    words.set(relocations, relocationsAt / 4);
    image.set(area, relocationsAt + relocationsSize);
    return image;
  }

  #call(step: Step, op: Exclude<Op, CloneOp>): void {
    switch (op.kind) {
      case 'syscall': {
        const nr = syscallNumber(op.name, this.#architecture);
        if (nr === undefined) throw new RangeError(`${this.#architecture} has no system call ${op.name}`);
        this.#withMemory(step, format.OP_SYSCALL, nr, op.args);
        return;
      }
      case 'expect': {
        const at = this.#op(step, format.OP_EXPECT, 0);
        this.#scalar(at, 0, op.value);
        this.#scalar(at, 1, op.equals);
        this.#scalar(at, 2, ERRNO[op.errno]);
        this.#scalar(at, 3, op.mask ?? -1);
        return;
      }
      case 'compare': {
        const equals = Buffer.from(op.equals);
        const buffer = this.#data.place(op.buffer).offset;
        const at = this.#op(step, format.OP_COMPARE, equals.length);
        this.#argument(at, 0, format.ARG_DATA, buffer);
        this.#argument(at, 1, format.ARG_DATA, this.#data.place(equals).offset);
        this.#scalar(at, 2, ERRNO[op.errno]);
        return;
      }
      case 'check':
        this.#scalar(this.#op(step, format.OP_CHECK, 0), 0, op.value);
        return;
      case 'remove-tree': {
        const at = this.#op(step, format.OP_REMOVE_TREE, op.cgroups ? 1 : 0);
        this.#scalar(at, 0, op.dir);
        this.#argument(at, 1, format.ARG_DATA, this.#data.place(op.path).offset);
        return;
      }
      case 'make-path': {
        const at = this.#op(step, format.OP_MAKE_PATH, op.mode);
        this.#scalar(at, 0, op.root);
        this.#argument(at, 1, format.ARG_DATA, this.#data.place(op.path).offset);
        this.#scalar(at, 2, op.file ? 1 : 0);
        return;
      }
      case 'report':
        this.#scalar(this.#op(step, format.OP_REPORT, 0), 0, op.fd);
    }
  }

  #clone(step: Step, op: CloneOp): number {
    // Without an END of its own it would go on at the next list, which is another process's.
    if (op.child.length === 0) throw new RangeError(`a child that does nothing: ${step.why}`);
    return this.#withMemory(step, format.OP_CLONE, 0, [cloneArgs(op), CLONE_ARGS_SIZE]);
  }

  /**
   * Emits a call with what its memory needs before and after it; returns the index of the call's own op. A start has a thousand arguments,
   * most of them small numbers: these are written here, where other functions would be called for each.
   */
  #withMemory(step: Step, kind: number, nr: number, args: readonly Argument[]): number {
    const count = args.length;
    let placed: (Placed | undefined)[] | undefined;
    for (let i = 0; i < count; i++) {
      const arg = args[i] as Argument;
      if (typeof arg === 'number' || isScalar(arg)) continue;
      const memory = this.#data.place(arg);
      placed ??= [];
      placed[i] = memory;
      if (memory.stores.length > 0) for (const patch of memory.stores) this.#store(step, patch);
      if (memory.texts.length > 0) for (const patch of memory.texts) this.#text(step, patch);
    }
    const index = this.#op(step, kind, nr);
    const words = this.#words;
    const at = index * OP_WORDS + 6;
    for (let i = 0; i < count; i++) {
      const arg = args[i] as Argument;
      const memory = placed?.[i];
      if (memory !== undefined) this.#argument(index, i, format.ARG_DATA, memory.offset);
      else if (typeof arg === 'number' && arg >= 0 && (arg | 0) === arg) words[at + 2 * i] = arg;
      else this.#scalar(index, i, arg as Scalar);
    }
    if (placed === undefined) return index;
    for (const memory of placed) {
      if (memory === undefined || memory.loads.length === 0) continue;
      for (const patch of memory.loads) this.#load(step, patch);
    }
    return index;
  }

  #store(step: Step, patch: Patch): void {
    const at = this.#auxiliary(step, format.OP_STORE, patch.width);
    this.#argument(at, 0, format.ARG_DATA, patch.offset);
    this.#scalar(at, 1, patch.slot);
  }

  #load(step: Step, patch: Patch): void {
    const at = this.#auxiliary(step, format.OP_LOAD, patch.width, patch.slot.index);
    this.#argument(at, 0, format.ARG_DATA, patch.offset);
  }

  #text(step: Step, patch: TextPatch): void {
    // The string may have been built before (a restart, a second use): empty it first.
    const empty = this.#auxiliary(step, format.OP_STORE, 4);
    this.#argument(empty, 0, format.ARG_DATA, patch.offset);
    for (const part of patch.parts) {
      const at = this.#auxiliary(step, format.OP_TEXT, 0, patch.size?.index);
      this.#argument(at, 0, format.ARG_DATA, patch.offset);
      this.#scalar(at, 1, patch.capacity);
      if (part instanceof Slot) this.#scalar(at, 2, part);
      else this.#argument(at, 2, format.ARG_DATA, this.#data.place(part).offset);
    }
  }

  /** Emits the op that does what `step` says; returns its index. */
  #op(step: Step, kind: number, nr: number): number {
    const flags = (step.retry ? format.OP_RETRY : 0) | (step.keepEacces ? format.OP_KEEP_EACCES : 0);
    const index = this.#auxiliary(step, kind | (flags << 8), nr, step.result?.index);
    if (step.tolerate !== undefined) this.#tolerate(index, step.tolerate);
    return index;
  }

  /** Emits an op that prepares or follows that of `step`. */
  #auxiliary(step: Step, kindAndFlags: number, nr: number, result: number = format.NO_SLOT): number {
    const index = this.stepOf.push(step) - 1;
    const at = index * OP_WORDS;
    if (at === this.#words.length) {
      const larger = new Uint32Array(4 * at);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[at] = kindAndFlags | (result << 16);
    this.#words[at + 1] = nr;
    return index;
  }

  #tolerate(index: number, names: readonly ErrnoName[]): void {
    const [first = 0, second = 0, third = 0, fourth = 0, tooMany] = names.map((name) => ERRNO[name]);
    if (tooMany !== undefined) throw new RangeError('a step tolerates at most four errnos');
    const at = index * OP_WORDS;
    this.#words[at + 2] = first | (second << 16);
    this.#words[at + 3] = third | (fourth << 16);
  }

  #scalar(index: number, i: number, value: Scalar): void {
    if (value instanceof Slot) this.#argument(index, i, format.ARG_SLOT, value.index);
    else this.#argument(index, i, format.ARG_IMMEDIATE, value);
  }

  #argument(index: number, i: number, kind: number, value: number | bigint): void {
    const words = this.#words;
    const at = index * OP_WORDS;
    const kinds = at + 4 + (i >> 2);
    if (kind !== 0) words[kinds] = (words[kinds] ?? 0) | (kind << (8 * (i & 3)));
    writeInteger(words, at + 6 + 2 * i, value);
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

/** A 64-bit integer in two's complement, lower word first. */
function writeInteger(words: Uint32Array, at: number, value: number | bigint): void {
  if (typeof value === 'number' && (value | 0) === value) {
    words[at] = value;
    words[at + 1] = value < 0 ? -1 : 0; // by far the most
    return;
  }
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    words[at] = value;
    words[at + 1] = Math.floor(value / 2 ** 32);
    return;
  }
  const bits = BigInt.asUintN(64, BigInt(value));
  words[at] = Number(bits & 0xffffffffn);
  words[at + 1] = Number(bits >> 32n);
}
