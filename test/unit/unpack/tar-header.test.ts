/** A header's checksum is added four bytes at once (tar-header.ts): it must be what byte after byte makes, wherever the header lies in its buffer. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BLOCK, parseTarHeader } from '../../../src/image/unpack/tar-header.ts';

/** A header of these bytes, with numbers that can be read, and with the checksum `sum` makes. */
function header(bytes: Uint8Array, sum: (byte: number) => number, off = 0): Buffer {
  const block = Buffer.from(bytes);
  block.fill('0', 100, 148); // mode, owner, size, time
  block.fill(0, 156, 157);
  block.fill(0x20, 148, 156);
  const total = block.reduce((before, byte) => before + sum(byte), 0) + off;
  block.write(`${total.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const unsigned = (byte: number): number => byte;
const signed = (byte: number): number => (byte > 127 ? byte - 256 : byte);
const bytes = fc.oneof(
  fc.uint8Array({ minLength: BLOCK, maxLength: BLOCK }),
  fc.constant(new Uint8Array(BLOCK).fill(255)),
  // Most of a real header is zeros.
  fc.array(fc.tuple(fc.nat(BLOCK - 1), fc.nat(255))).map((some) => {
    const block = new Uint8Array(BLOCK);
    for (const [at, byte] of some) block[at] = byte;
    return block;
  }),
);
const at = (shift: number, block: Buffer): Buffer =>
  Buffer.concat([Buffer.alloc(shift, 0xff), block, Buffer.alloc(5, 0xff)]).subarray(shift, shift + BLOCK);
const isAccepted = (block: Buffer): boolean => parseTarHeader(block).ok;

test('sums of unsigned and of signed bytes are taken, at every address', () => {
  fc.assert(
    fc.property(bytes, fc.nat(9), (some, shift) => {
      expect(isAccepted(at(shift, header(some, unsigned)))).toBe(true);
      const sum = header(some, signed);
      // A negative sum cannot be written in octal.
      if (!sum.toString('latin1', 148, 156).includes('-')) expect(isAccepted(at(shift, sum))).toBe(true);
    }),
  );
});

test('no other sum is', () => {
  fc.assert(
    fc.property(bytes, fc.nat(9), fc.constantFrom(-1, 1, 256, 65536), (some, shift, off) => {
      const high = [...header(some, unsigned)].filter((byte, i) => (i < 148 || i > 155) && byte > 127).length;
      fc.pre(off !== -256 * high);
      const block = header(some, unsigned, off);
      fc.pre(!block.toString('latin1', 148, 156).includes('-'));
      expect(parseTarHeader(at(shift, block))).toEqual({
        ok: false,
        problem: 'the checksum of its header is wrong',
      });
    }),
  );
});
