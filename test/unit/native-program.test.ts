/**
 * native/program.c against images that its encoder would never write, with the sanitizers on and system calls stubbed out
 * (test/native/fuzz-program.c). A bounded number of mutations of a fixed seed: what fails here fails again.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeProgram } from '../../src/sys/encode.ts';
import * as format from '../../src/sys/format.ts';
import { arbitraryProgram } from '../support/arbitrary-program.ts';

const SEED = 20240607;
const ROUNDS = 200_000;
const root = new URL('../..', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'tsrun-fuzz-'));
const fuzzer = join(directory, 'fuzz-program');
const flags = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-Wall', '-Wextra'];
const source = join(root, 'test/native/fuzz-program.c');

const images = fc
  .sample(arbitraryProgram, { seed: SEED, numRuns: 40 })
  .map((program) => encodeProgram(program).image);
const files = images.map((_, index) => join(directory, `seed-${index}`));

const run = (...args: string[]) => spawnSync(fuzzer, args, { encoding: 'utf8' });

/** `image` with the byte, or the number of `width` bytes, at `at` set. */
function changed(image: Buffer, at: number, value: number | bigint, width = 4): Buffer {
  const copy = Buffer.from(image);
  if (width === 8) copy.writeBigUInt64LE(BigInt(value), at);
  else copy.writeUIntLE(Number(value), at, width);
  return copy;
}

function verdicts(...candidates: Buffer[]): string[] {
  const names = candidates.map((bytes, index) => {
    const name = join(directory, `candidate-${index}`);
    writeFileSync(name, bytes);
    return name;
  });
  const { status, stdout, stderr } = run('-c', ...names);
  expect(status, stderr).toBe(0);
  return stdout.trim().split('\n');
}

beforeAll(() => {
  execFileSync('cc', [...flags, `-I${join(root, 'native')}`, '-o', fuzzer, source]);
  images.forEach((image, index) => {
    writeFileSync(files[index] as string, image);
  });
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('program_check()', () => {
  it('accepts every image that the encoder makes', () => {
    expect(verdicts(...images)).toEqual(images.map(() => 'ok'));
  });

  const image = encodeProgram(fc.sample(arbitraryProgram, { seed: SEED, numRuns: 1 })[0] as never).image;
  const slots = image.readUInt32LE(8);
  const firstOp = format.PROGRAM_HEADER_SIZE + 8 * slots;

  it.each([
    ['another magic', () => changed(image, 0, 0x12345678)],
    ['a size that is not its own', () => changed(image, 4, image.length + 8)],
    ['too many slots', () => changed(image, 8, format.PROGRAM_MAX_SLOTS + 1)],
    ['more ops than fit', () => changed(image, 12, 0xffffffff)],
    ['more relocations than fit', () => changed(image, 16, 0xffffffff)],
    ['no data at all', () => changed(image, 20, 0)],
    ['a last byte that is not 0', () => changed(image, image.length - 1, 1, 1)],
    ['a kind of op that is none', () => changed(image, firstOp, format.OP_KINDS, 1)],
    ['a result slot beyond the last', () => changed(image, firstOp + 2, slots, 2)],
    ['a kind of argument that is none', () => changed(image, firstOp + 16, 3, 1)],
    [
      'data beyond the end',
      () => changed(changed(image, firstOp + 16, format.ARG_DATA, 1), firstOp + 24, image.length, 8),
    ],
    [
      'a slot that is none',
      () => changed(changed(image, firstOp + 16, format.ARG_SLOT, 1), firstOp + 24, slots, 8),
    ],
    ['fewer bytes than a header', () => image.subarray(0, format.PROGRAM_HEADER_SIZE - 1)],
    ['a cut end', () => image.subarray(0, image.length - 8)],
  ])('refuses an image with %s', (_, make) => {
    expect(verdicts(make())).toEqual(['refused']);
  });
});

/** An image without slots and relocations: ops as [kind, nr, data offsets or immediates], `data` bytes of zeros. */
function smallImage(
  ops: readonly [kind: number, nr: number, args: readonly [number, bigint][]][],
  data: number,
): Buffer {
  const bytes = Buffer.alloc(format.PROGRAM_HEADER_SIZE + format.OP_SIZE * ops.length + data);
  [format.PROGRAM_MAGIC, bytes.length, 0, ops.length, 0, data].forEach((value, index) => {
    bytes.writeUInt32LE(value, 4 * index);
  });
  bytes.writeInt32LE(-1, 24);
  ops.forEach(([kind, nr, args], index) => {
    const at = format.PROGRAM_HEADER_SIZE + format.OP_SIZE * index;
    bytes.writeUInt8(kind, at);
    bytes.writeUInt16LE(format.NO_SLOT, at + 2);
    bytes.writeUInt32LE(nr, at + 4);
    args.forEach(([argKind, value], n) => {
      bytes.writeUInt8(argKind, at + 16 + n);
      bytes.writeBigUInt64LE(value, at + 24 + 8 * n);
    });
  });
  return bytes;
}

describe('the interpreter', () => {
  // Not yet: operands_ok() lets OP_STORE have the last byte too. `nr + 1` bytes must be inside for it.
  it('makes the last byte of data stay 0, or a string built at run time would run past it', () => {
    const last = [format.ARG_DATA, 0n] as const;
    const image = smallImage(
      [
        [format.OP_STORE, 8, [[...last], [format.ARG_IMMEDIATE, 0x4141414141414141n]]],
        [format.OP_REMOVE_TREE, 0, [[format.ARG_IMMEDIATE, 0n], [...last]]],
      ],
      8,
    );
    expect(verdicts(image)).toEqual(['refused']);
  });

  it(`stays inside the image in ${ROUNDS} mutations`, () => {
    const { status, stdout, stderr } = run('-r', String(SEED), String(ROUNDS), ...files);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const [, checked, ran] = /checked (\d+), ran (\d+)/.exec(stdout) ?? [];
    expect(Number(checked)).toBe(ROUNDS);
    // Mutations must neither all be refused nor all be harmless, or nothing is tested.
    expect(Number(ran)).toBeGreaterThan(ROUNDS / 20);
    expect(Number(ran)).toBeLessThan((ROUNDS * 19) / 20);
  });

  const hasLibFuzzer = spawnSync('clang', ['-fsanitize=fuzzer', '-x', 'c', '-', '-o', '/dev/null'], {
    input: 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }',
  });

  it.runIf(hasLibFuzzer.status === 0)(
    'stays inside the image for libFuzzer, which looks for new paths',
    () => {
      const guided = join(directory, 'fuzz-guided');
      const corpus = join(directory, 'corpus');
      mkdirSync(corpus);
      images.forEach((image, index) => {
        writeFileSync(join(corpus, String(index)), image);
      });
      const include = `-I${join(root, 'native')}`;
      execFileSync('clang', [...flags, '-DLIBFUZZER', '-fsanitize=fuzzer', include, '-o', guided, source]);
      const args = [
        '-runs=100000',
        `-seed=${SEED}`,
        '-max_len=65536',
        `-artifact_prefix=${directory}/`,
        corpus,
      ];
      const { status, stderr } = spawnSync(guided, args, { encoding: 'utf8' });
      expect(status, stderr.slice(-4000)).toBe(0);
    },
    120_000,
  );
});
