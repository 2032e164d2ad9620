/** Random programs of system calls, for property tests of the encoder and as seeds of the decoder's fuzzer. Never to be run. */
import fc from 'fast-check';
import type { Program } from '../../src/sys/step.ts';
import { type Argument, type Field, type Memory, Slot, Slots, type Step } from '../../src/sys/step.ts';

const SLOTS = 16;

const slot = fc.nat(SLOTS - 1).map((index) => new Slot(index, `s${index}`));
const scalar = fc.oneof(fc.integer(), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), slot);
/** What the kernel may be given as a string: anything but NUL. */
const string = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll('\0', ''));
const text = fc.array(fc.oneof(string, slot), { maxLength: 4 }).map((parts) => ({ text: parts }));

const { memory, field } = fc.letrec<{ memory: Memory; field: Field }>((tie) => ({
  memory: fc.oneof(
    { depthSize: 'small' },
    string,
    fc.uint8Array({ maxLength: 40 }),
    text,
    fc.array(fc.oneof(string, text), { maxLength: 4 }).map((strings) => ({ strings })),
    fc.array(tie('field'), { minLength: 1, maxLength: 5 }).map((fields) => ({ fields })),
    fc.integer({ min: 1, max: 64 }).map((buffer) => ({ buffer })),
  ),
  field: fc.oneof(
    { depthSize: 'small' },
    fc.record({ width: fc.constantFrom(1, 2, 4, 8), value: fc.integer() }),
    fc.record({ width: fc.constantFrom(4, 8), from: slot }),
    fc.record({ width: fc.constantFrom(4, 8), into: slot }),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => ({ bytes })),
    tie('memory').map((pointer) => ({ pointer })),
  ),
}));

const argument: fc.Arbitrary<Argument> = fc.oneof(scalar, memory);

const extras = fc.record(
  {
    result: slot,
    tolerate: fc.subarray(['ENOENT', 'EEXIST', 'EACCES', 'EINVAL'] as const),
    retry: fc.boolean(),
    keepEacces: fc.boolean(),
  },
  { requiredKeys: [] },
);

const plainOp = fc.oneof(
  fc.record({
    kind: fc.constant('syscall' as const),
    name: fc.constantFrom('openat', 'mount', 'execve', 'prctl', 'close', 'ioctl'),
    args: fc.array(argument, { maxLength: 6 }),
  }),
  fc.record({
    kind: fc.constant('expect' as const),
    value: slot,
    equals: fc.integer(),
    errno: fc.constant('EPIPE' as const),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    buffer: fc.record({ buffer: fc.constant(64) }),
    equals: fc.string({ minLength: 1, maxLength: 10 }),
    errno: fc.constant('EIO' as const),
  }),
  fc.record({ kind: fc.constant('check' as const), value: slot }),
  fc.record({ kind: fc.constant('remove-tree' as const), dir: scalar, path: string }),
  fc.record({
    kind: fc.constant('make-path' as const),
    root: scalar,
    path: string,
    mode: fc.nat(0o7777),
    file: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('report' as const), fd: scalar }),
);

const steps: fc.Arbitrary<Step[]> = fc.letrec<{ steps: Step[] }>((tie) => ({
  steps: fc.array(
    fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      fc
        .tuple(plainOp, extras)
        .map(([op, extra]): Step => ({ actor: 'container', why: 'test', op, ...(extra as object) })),
      fc.record({ flags: fc.constantFrom(0n, 0x4100n), pidfd: fc.option(slot), child: tie('steps') }).map(
        ({ flags, pidfd, child }): Step => ({
          actor: 'user',
          why: 'test',
          op: { kind: 'clone', flags, exitSignal: 17, child, ...(pidfd ? { pidfd } : {}) },
        }),
      ),
    ),
    { minLength: 1, maxLength: 8 },
  ),
})).steps;

export const arbitraryProgram: fc.Arbitrary<Program> = steps.map((list) => ({
  steps: list,
  slots: new Slots(SLOTS),
}));

export { field as arbitraryField, memory as arbitraryMemory };
