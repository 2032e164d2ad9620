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

/** Big-endian two's complement; the top bit of the first byte marks the encoding, the next one is the sign. */
function parseBase256(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(first & 0x7f);
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(block[start + i] ?? 0);
  if (negative) value -= 1n << BigInt(8 * length - 1);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}
