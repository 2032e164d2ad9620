/**
 * Maps of sparse files, in GNU tar's four ways of writing them (tar manual, "Storing Sparse Files"):
 *
 *     old  type S: 4 ranges in the header at 386, more in following blocks of 21, the real size at 483
 *     0.0  pax records GNU.sparse.offset and GNU.sparse.numbytes, one pair per range
 *     0.1  pax record GNU.sparse.map, comma-separated; the name in GNU.sparse.name
 *     1.0  the map as decimal lines at the start of the content, padded to a block
 */
import { parseDecimal } from './pax.ts';
import type { SparseRange } from './tar-entry.ts';
import { parseTarNumber } from './tar-number.ts';

/** More ranges than that is no file that anybody made. */
export const MAX_RANGES = 1 << 20;

/** Reads `count` ranges of 24 bytes at `start`; a range without an offset ends the list. undefined: not numbers. */
export function oldSparseRanges(block: Buffer, start: number, count: number): SparseRange[] | undefined {
  const ranges: SparseRange[] = [];
  for (let at = start; at < start + 24 * count; at += 24) {
    if (block[at] === 0) break;
    const offset = parseTarNumber(block, at, 12);
    const length = parseTarNumber(block, at + 12, 12);
    if (offset === undefined || length === undefined) return undefined;
    ranges.push({ offset, length });
  }
  return ranges;
}

/** Pairs of decimal numbers (formats 0.0 and 0.1). undefined: not numbers, or an odd one. */
export function pairedRanges(numbers: readonly string[]): SparseRange[] | undefined {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAX_RANGES) return undefined;
  const ranges: SparseRange[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const offset = parseDecimal(numbers[i] ?? '');
    const length = parseDecimal(numbers[i + 1] ?? '');
    if (offset === undefined || length === undefined) return undefined;
    ranges.push({ offset, length });
  }
  return ranges;
}

/** Collects the map of format 1.0: a count, then two numbers per range, each on a line, in whole blocks. */
export class SparseMapReader {
  #line = '';
  readonly #numbers: string[] = [];

  /** @returns the ranges when `block` ends the map; 'more' when another block is needed; undefined when it is no map */
  add(block: Buffer): SparseRange[] | 'more' | undefined {
    const lines = (this.#line + block.toString('latin1')).split('\n');
    this.#line = lines.pop() ?? '';
    if (this.#line.length > 32 && this.#missing(lines) > 0) return undefined;
    for (const line of lines) {
      if (this.#missing([]) === 0) break;
      this.#numbers.push(line);
      if (this.#missing([]) < 0) return undefined;
    }
    return this.#missing([]) === 0 ? pairedRanges(this.#numbers.slice(1)) : 'more';
  }

  /** How many lines the map still needs after `lines`; negative for a count that is none. */
  #missing(lines: readonly string[]): number {
    const first = this.#numbers[0] ?? lines[0];
    if (first === undefined) return 1;
    const count = parseDecimal(first);
    if (count === undefined || count > MAX_RANGES) return -1;
    return Math.max(0, 1 + 2 * count - this.#numbers.length - lines.length);
  }
}

/** Why `ranges` cannot describe `stored` bytes of a file of `size`, or undefined when they do. */
export function sparseProblem(
  ranges: readonly SparseRange[],
  stored: number,
  size: number,
): string | undefined {
  let end = 0;
  let total = 0;
  for (const { offset, length } of ranges) {
    if (offset < 0 || length < 0 || offset < end || offset + length > size)
      return 'its sparse map is out of order';
    end = offset + length;
    total += length;
  }
  return total === stored ? undefined : 'its sparse map does not agree with its size';
}
