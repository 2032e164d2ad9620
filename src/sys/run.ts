/**
 * Executes programs of system calls, in this process and in the children that they clone.
 *
 * `Runner` is what everything above src/sys sees; {@link nativeRunner} is the real one, and test/support has a recording fake.
 */
import { F_DUPFD_CLOEXEC } from './constants.ts';
import { type EncodedProgram, encodeProgram } from './encode.ts';
import { ERRNO, errnoName, errnoText } from './errno.ts';
import { PROGRAM_HEADER_SIZE } from './format.ts';
import { runImage } from './library.ts';
import type { Program, Slot, Step } from './step.ts';

/** Reads the slots of a program that has run; -1 where a slot was never written. */
export type Results = (slot: Slot) => number;

export interface Runner {
  /** Runs to the end, or throws {@link SyscallFailure}. `traceFd`: where struct trace_records go. */
  run(program: Program, options?: { traceFd?: number }): Results;
}

/** Added to the words of whoever may have too few files open at once (src/cli/render-error.ts knows it). */
const TOO_FEW_DESCRIPTORS = 'RLIMIT_NOFILE is too low';

/** Of the container's own limit its user knows. fcntl(2) calls a number above the limit an invalid argument. */
function lacksDescriptors({ actor, op }: Step, errno: number): boolean {
  if (actor === 'container') return false;
  if (errno === ERRNO.EMFILE) return true;
  return (
    errno === ERRNO.EINVAL && op.kind === 'syscall' && op.name === 'fcntl' && op.args[1] === F_DUPFD_CLOEXEC
  );
}

/** What the system says of a failed step: `mount: Operation not permitted (EPERM)` */
export function systemWords(step: Step, errno: number): string {
  const call = step.op.kind === 'syscall' ? step.op.name : step.op.kind;
  const words = `${call}: ${errnoText(errno)} (${errnoName(errno)})`;
  return lacksDescriptors(step, errno) ? `${words}: ${TOO_FEW_DESCRIPTORS}` : words;
}

/** A step failed in the calling process. What it had acquired before is in `results`, for the caller to release. */
export class SyscallFailure extends Error {
  readonly step: Step;
  readonly errno: number;
  readonly results: Results;
  constructor(step: Step, errno: number, results: Results) {
    super(`${systemWords(step, errno)}, while trying to ${step.why}`);
    this.name = 'SyscallFailure';
    this.step = step;
    this.errno = errno;
    this.results = results;
  }
}

/** Of V8 itself, while each method of Buffer is compiled when it is first called. */
const viewOf = (image: Buffer): DataView => new DataView(image.buffer, image.byteOffset, image.length);

/** Reads `slot` of an image that has run. */
export function slotReader(image: Buffer): Results {
  const view = viewOf(image);
  return (slot) => Number(view.getBigInt64(PROGRAM_HEADER_SIZE + 8 * slot.index, true));
}

/** Runs an encoded image; the bytes of buffers can be read back from it. @throws SyscallFailure */
export function runEncoded(encoded: EncodedProgram, options: { traceFd?: number } = {}): Results {
  const { image } = encoded;
  const view = viewOf(image);
  view.setInt32(24, options.traceFd ?? -1, true);
  const code = runImage(image);
  const results = slotReader(image);
  if (code === 0) return results;
  const step = view.getInt32(32, true) === 0 ? undefined : encoded.stepOf[view.getUint32(28, true)];
  if (!step) throw new Error(`the program image was refused: ${errnoText(-code)}`);
  throw new SyscallFailure(step, -code, results);
}

export const nativeRunner: Runner = {
  run: (program, options) => runEncoded(encodeProgram(program), options),
};
