/** native/program.h and src/sys/format.ts are one format in two languages: the same names, the same numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as format from '../../src/sys/format.ts';

const header = readFileSync(new URL('../../native/program.h', import.meta.url), 'utf8').replaceAll(
  /\/\*[\s\S]*?\*\//g,
  '',
);

/** `0x31u`, `4u << 20`, `0xffff` */
function evaluate(expression: string): number {
  const [value = '', shift = '0'] = expression.split('<<').map((part) => part.trim().replace(/u$/, ''));
  return Number(value) << Number(shift);
}

function defines(): Record<string, number> {
  const found = [...header.matchAll(/^#define (\w+) +\(?([^()\n]+)\)?$/gm)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, evaluate(value)]));
}

function enums(): Record<string, number> {
  const bodies = [...header.matchAll(/enum \w+ \{([^}]*)\}/g)].map(([, body = '']) => body);
  const members = bodies.flatMap((body) => [...body.matchAll(/(\w+) = ([^,\n]+),/g)]);
  return Object.fromEntries(members.map(([, name = '', value = '']) => [name, evaluate(value)]));
}

const SIZES: Record<string, number> = {
  uint8_t: 1,
  uint16_t: 2,
  int32_t: 4,
  uint32_t: 4,
  int64_t: 8,
  uint64_t: 8,
};

/** sizeof: members in the order of the struct, which has no padding of the compiler's. */
function structSize(name: string): number {
  const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(header)?.[1] ?? '';
  let size = 0;
  for (const [, type = '', count = '1'] of body.matchAll(/(\w+) \w+(?:\[(\d+)\])?;/g)) {
    const width = SIZES[type] ?? Number.NaN;
    expect(size % width, `${name}: a ${type} is not aligned`).toBe(0);
    size += width * Number(count);
  }
  return size;
}

describe('the format of programs', () => {
  it('has in TypeScript every number that the header has, and no other', () => {
    const { PROGRAM_HEADER_SIZE, OP_SIZE, FAILURE_RECORD_SIZE, TRACE_RECORD_SIZE, ...numbers } = format;
    expect(numbers).toEqual({ ...defines(), ...enums() });
    expect(Object.keys(enums()).length).toBeGreaterThan(10);
  });

  it.each([
    ['program', format.PROGRAM_HEADER_SIZE],
    ['op', format.OP_SIZE],
    ['failure_record', format.FAILURE_RECORD_SIZE],
    ['trace_record', format.TRACE_RECORD_SIZE],
  ])('knows the size of struct %s', (name, size) => {
    expect(structSize(name)).toBe(size);
  });

  it('numbers the kinds of op without a gap', () => {
    const kinds = Object.entries(enums()).filter(([name]) => /^OP_(?!RETRY|KEEP_EACCES|KINDS)/.test(name));
    expect(kinds.map(([, number]) => number)).toEqual(kinds.map((_, index) => index));
    expect(kinds.length).toBe(format.OP_KINDS);
  });
});
