/** The image that the encoder makes keeps every rule that program_check() of native/program.c demands. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EncodedProgram, encodeProgram } from '../../src/sys/encode.ts';
import * as format from '../../src/sys/format.ts';
import { type Program, Slots, type Step } from '../../src/sys/step.ts';
import { arbitraryProgram } from '../support/arbitrary-program.ts';

interface Op {
  kind: number;
  result: number;
  nr: number;
  args: { kind: number; value: bigint }[];
}

/** The image taken apart, with the sums of native/program.h. */
function takeApart(image: Buffer) {
  const [magic = 0, size = 0, slots = 0, opCount = 0, relocCount = 0, dataSize = 0] = Array.from(
    { length: 6 },
    (_, i) => image.readUInt32LE(4 * i),
  );
  const opsAt = format.PROGRAM_HEADER_SIZE + 8 * slots;
  const relocsAt = opsAt + format.OP_SIZE * opCount;
  const dataAt = relocsAt + 8 * Math.ceil(relocCount / 2);
  const ops = Array.from({ length: opCount }, (_, i): Op => {
    const at = opsAt + format.OP_SIZE * i;
    return {
      kind: image.readUInt8(at),
      result: image.readUInt16LE(at + 2),
      nr: image.readUInt32LE(at + 4),
      args: Array.from({ length: 6 }, (_, n) => ({
        kind: image.readUInt8(at + 16 + n),
        value: image.readBigUInt64LE(at + 24 + 8 * n),
      })),
    };
  });
  const relocs = Array.from({ length: relocCount }, (_, i) => image.readUInt32LE(relocsAt + 4 * i));
  return { magic, size, slots, ops, relocs, dataAt, dataSize, data: image.subarray(dataAt) };
}

const countSteps = (steps: readonly Step[]): { steps: number; lists: number } =>
  steps.reduce(
    (sum, { op }) => {
      const below = op.kind === 'clone' ? countSteps(op.child) : { steps: 0, lists: 0 };
      return { steps: sum.steps + 1 + below.steps, lists: sum.lists + below.lists };
    },
    { steps: 0, lists: 1 },
  );

/** How many bytes of data at argument `n` an op of this kind touches by itself. */
function touched(op: Op, n: number): bigint {
  if (op.kind === format.OP_CLONE && n === 0) return op.args[1]?.value ?? 0n;
  if (op.kind === format.OP_TEXT && n === 0) return op.args[1]?.value ?? 0n;
  if ((op.kind === format.OP_STORE || op.kind === format.OP_LOAD) && n === 0) return BigInt(op.nr);
  if (op.kind === format.OP_COMPARE && n < 2) return BigInt(op.nr);
  return 1n;
}

function checkImage(encoded: EncodedProgram): void {
  const { image, stepOf, program } = encoded;
  const { magic, size, slots, ops, relocs, dataAt, dataSize, data } = takeApart(image);
  expect(magic).toBe(format.PROGRAM_MAGIC);
  expect(size).toBe(image.length);
  expect(image.byteOffset % 8, 'aligned in memory').toBe(0);
  expect(dataAt % 8, 'the data area is aligned').toBe(0);
  expect(dataAt + dataSize).toBe(size);
  expect(data.at(-1), 'no string runs past the end').toBe(0);
  expect(slots).toBe(program.slots.count);
  expect(stepOf.length, 'every op leads back to a step').toBe(ops.length);
  for (const op of ops) {
    expect(op.kind).toBeLessThan(format.OP_KINDS);
    expect(op.result === format.NO_SLOT || op.result < slots).toBe(true);
    op.args.forEach(({ kind, value }, n) => {
      if (kind === format.ARG_SLOT) expect(value).toBeLessThan(BigInt(slots));
      if (kind === format.ARG_DATA) {
        expect(value + touched(op, n)).toBeLessThanOrEqual(BigInt(dataSize));
        if (op.kind === format.OP_SYSCALL) expect(value % 8n, 'memory for the kernel is aligned').toBe(0n);
      }
    });
  }
  expect(new Set(relocs).size, 'no pointer is relocated twice').toBe(relocs.length);
  for (const at of relocs) {
    expect(at + 8).toBeLessThanOrEqual(dataSize);
    expect(data.readBigUInt64LE(at)).toBeLessThan(BigInt(dataSize));
  }
}

describe('the encoder', () => {
  it('keeps the rules of program_check() for any program', () => {
    fc.assert(
      fc.property(
        arbitraryProgram,
        fc.constantFrom('x64' as const, 'arm64' as const),
        (program, architecture) => {
          checkImage(encodeProgram(program, architecture));
        },
      ),
    );
  });

  it('makes one op for the call of each step, and one END for each process', () => {
    fc.assert(
      fc.property(arbitraryProgram, (program) => {
        const { ops } = takeApart(encodeProgram(program).image);
        const { steps, lists } = countSteps(program.steps);
        const auxiliary = new Set([format.OP_TEXT, format.OP_STORE, format.OP_LOAD, format.OP_END]);
        expect(ops.filter(({ kind }) => !auxiliary.has(kind)).length).toBe(steps);
        // A clone without steps of the child's has no list: it goes on at whatever comes then. Launch code never makes one.
        expect(ops.filter(({ kind }) => kind === format.OP_END).length).toBeLessThanOrEqual(lists);
      }),
    );
  });

  it('sends each child to the first op of its own list', () => {
    fc.assert(
      fc.property(arbitraryProgram, (program) => {
        const { image, stepOf } = encodeProgram(program);
        takeApart(image).ops.forEach((op, index) => {
          const step = stepOf[index];
          if (op.kind !== format.OP_CLONE || step?.op.kind !== 'clone') return;
          expect(stepOf[op.nr]).toBe(step.op.child[0]);
          expect(op.nr === 0 ? undefined : takeApart(image).ops[op.nr - 1]?.kind).toBe(format.OP_END);
        });
      }),
    );
  });
});

const oneCall = (step: Partial<Step> & Pick<Step, 'op'>, slots = new Slots()): Program => ({
  slots,
  steps: [{ actor: 'user', why: 'test', ...step }],
});

describe('numbers', () => {
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }),
  );
  const bits = (value: number | bigint): bigint => BigInt.asUintN(64, BigInt(value));

  it('reach the kernel with all 64 bits, negative ones in two’s complement', () => {
    fc.assert(
      fc.property(fc.array(number, { maxLength: 6 }), (args) => {
        const [op] = takeApart(
          encodeProgram(oneCall({ op: { kind: 'syscall', name: 'prctl', args } })).image,
        ).ops;
        expect(op?.args.slice(0, args.length).map(({ value }) => value)).toEqual(args.map(bits));
        expect(op?.args.every(({ kind }) => kind === format.ARG_IMMEDIATE)).toBe(true);
      }),
    );
  });

  it('lie in structs with the width of their member', () => {
    const member = fc.record({ width: fc.constantFrom(1, 2, 4, 8), value: number });
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 6 }), (fields) => {
        const args = [{ fields: fields as never }];
        const { ops, data } = takeApart(
          encodeProgram(oneCall({ op: { kind: 'syscall', name: 'prctl', args } })).image,
        );
        let at = Number(ops[0]?.args[0]?.value);
        for (const { width, value } of fields) {
          const found = [...data.subarray(at, at + width)].reduceRight(
            (sum, byte) => (sum << 8n) | BigInt(byte),
            0n,
          );
          expect(found).toBe(BigInt.asUintN(8 * width, BigInt(value)));
          at += width;
        }
      }),
    );
  });

  it('of flags, errnos and results are where the interpreter looks', () => {
    const slots = new Slots(7);
    const result = slots.new('fd');
    const step = { retry: true, keepEacces: true, tolerate: ['ENOENT', 'EACCES'] as const, result };
    const { image } = encodeProgram(
      oneCall({ ...step, op: { kind: 'syscall', name: 'close', args: [-1] } }, slots),
    );
    const at = format.PROGRAM_HEADER_SIZE + 8 * 8;
    expect(image.readUInt8(at + 1)).toBe(format.OP_RETRY | format.OP_KEEP_EACCES);
    expect(image.readUInt16LE(at + 2)).toBe(7);
    expect([8, 10, 12, 14].map((offset) => image.readUInt16LE(at + offset))).toEqual([2, 13, 0, 0]);
    expect(image.subarray(format.PROGRAM_HEADER_SIZE, at).every((byte) => byte === 0xff)).toBe(true);
    expect(image.readInt32LE(24), 'not traced').toBe(-1);
  });
});

describe('the layout of memory', () => {
  it('keeps equal strings once, and one object in one place', () => {
    const buffer = { buffer: 16 };
    const { image } = encodeProgram(
      oneCall({ op: { kind: 'syscall', name: 'mount', args: ['/x', '/x', buffer, buffer] } }),
    );
    const [op] = takeApart(image).ops;
    expect(op?.args[0]).toEqual(op?.args[1]);
    expect(op?.args[2]).toEqual(op?.args[3]);
    expect(op?.args[0]).not.toEqual(op?.args[2]);
  });

  it('builds a string with slots anew before each use', () => {
    const slots = new Slots();
    const fd = slots.new('fd');
    const text = { text: ['/proc/self/fd/', fd] };
    const { image } = encodeProgram(oneCall({ op: { kind: 'syscall', name: 'chdir', args: [text] } }, slots));
    expect(takeApart(image).ops.map(({ kind }) => kind)).toEqual([
      format.OP_STORE,
      format.OP_TEXT,
      format.OP_TEXT,
      format.OP_SYSCALL,
      format.OP_END,
    ]);
  });

  it('loads what the kernel filled in after the call', () => {
    const slots = new Slots();
    const pair = {
      fields: [{ width: 4, into: slots.new('r') } as const, { width: 4, into: slots.new('w') } as const],
    };
    const { image } = encodeProgram(
      oneCall({ op: { kind: 'syscall', name: 'pipe2', args: [pair, 0] } }, slots),
    );
    const loads = takeApart(image).ops.filter(({ kind }) => kind === format.OP_LOAD);
    expect(loads.map(({ nr, result }) => [nr, result])).toEqual([
      [4, 0],
      [4, 1],
    ]);
  });

  it('refuses what the kernel or the format cannot hold', () => {
    const call = (args: Parameters<typeof oneCall>[0]['op']) => () =>
      encodeProgram(oneCall({ op: args }), 'arm64');
    expect(call({ kind: 'syscall', name: 'chdir', args: ['a\0b'] })).toThrow(/NUL/);
    expect(call({ kind: 'syscall', name: 'fork', args: [] })).toThrow(/arm64 has no system call fork/);
    expect(() =>
      encodeProgram(oneCall({ op: { kind: 'report', fd: 1 } }, new Slots(format.PROGRAM_MAX_SLOTS + 1))),
    ).toThrow(/limits/);
    expect(
      call({ kind: 'syscall', name: 'write', args: [1, { buffer: format.PROGRAM_MAX_SIZE }, 0] }),
    ).toThrow(/limits/);
    const tolerate = ['EPERM', 'ENOENT', 'ESRCH', 'EINTR', 'EIO'] as const;
    expect(() => encodeProgram(oneCall({ tolerate, op: { kind: 'report', fd: 1 } }))).toThrow(/four/);
  });
});
