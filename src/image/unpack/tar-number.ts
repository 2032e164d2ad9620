/** Numbers in tar headers: octal text (POSIX), or base-256 when the first bit is set (GNU, star). */

/**
 * The number in `block[start, start + length)`. An empty field is 0, as v7 archives leave unused ones.
 * @returns undefined when the field is neither octal nor base-256, or does not fit a safe integer
 */
export function parseTarNumber(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  return (first & 0x80) === 0 ? parseOctal(block, start, start + length) : parseBase256(block, start, length);
}

const isPadding = (byte: number): boolean => byte === 0x20 || byte === 0;

function parseOctal(block: Buffer, start: number, end: number): number | undefined {
  let at = start;
  while (at < end && isPadding(block[at] ?? 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at] ?? 0;
    if (byte < 0x30 || byte > 0x37) break;
    value = value * 8 + (byte - 0x30);
  }
  for (; at < end; at++) {
    if (!isPadding(block[at] ?? 0)) return undefined;
  }
  return value;
}

/** The same for seconds since 1970, whatever their size: what no disk can keep is the file system's to clamp. */
export function parseTarTime(block: Buffer, start: number, length: number): number | undefined {
  if (((block[start] ?? 0) & 0x80) === 0) return parseOctal(block, start, start + length);
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  const value = readBase256(block, start, length);
  return Number(value > limit ? limit : value < -limit ? -limit : value);
}

function parseBase256(block: Buffer, start: number, length: number): number | undefined {
  const number = Number(readBase256(block, start, length));
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Big-endian two's complement; the top bit of the first byte marks the encoding, the next one is the sign. */
function readBase256(block: Buffer, start: number, length: number): bigint {
  const first = block[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(first & 0x7f);
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(block[start + i] ?? 0);
  return negative ? value - (1n << BigInt(8 * length - 1)) : value;
}
