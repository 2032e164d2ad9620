import { call } from './calls.ts';
import { encodeProgram } from './encode.ts';
import { OP_SIZE, PROGRAM_HEADER_SIZE } from './format.ts';
import { runEncoded } from './run.ts';
import { type Argument, Slots } from './step.ts';
import type { SyscallName } from './syscall-numbers.ts';

/**
 * Runs one system call in this process and returns what the kernel wrote into the buffer of `size` bytes that it is given after the
 * arguments `before`, followed by `size` itself: readlinkat(2), getxattr(2) and their like, whose result is a count of bytes.
 * @throws SyscallFailure
 */
export function callForBytes(
  why: string,
  name: SyscallName,
  before: readonly Argument[],
  size: number,
): Buffer {
  const slots = new Slots();
  const result = slots.new('count');
  const steps = [call('user', why, name, [...before, { buffer: size }, size], { result })];
  const encoded = encodeProgram({ slots, steps });
  const { image } = encoded;
  const count = runEncoded(encoded)(result);
  // program.h: the data area ends the image, and the argument of the first op says where in it the buffer lies
  const dataAt = image.length - image.readUInt32LE(20);
  const argumentAt = PROGRAM_HEADER_SIZE + 8 * slots.count + 24 + 8 * before.length;
  if (argumentAt + 8 > PROGRAM_HEADER_SIZE + 8 * slots.count + OP_SIZE)
    throw new RangeError(`${name}: too many arguments`);
  const at = dataAt + Number(image.readBigUInt64LE(argumentAt));
  return image.subarray(at, at + count);
}
