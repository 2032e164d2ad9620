/** Names: cleaning, whiteouts, what a person sees, owners and limits. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanEntryPath, isWithin, joinPath, splitPath } from '../../../src/image/unpack/entry-path.ts';
import { DEFAULT_LIMITS, SizeMeter } from '../../../src/image/unpack/limits.ts';
import { overrideValue, parseIdMap, requireMapped } from '../../../src/image/unpack/owner.ts';
import { displayName, toFsPath } from '../../../src/image/unpack/tar-entry.ts';
import { classifyWhiteout } from '../../../src/image/unpack/whiteout.ts';

const clean = (name: string) => cleanEntryPath(name, DEFAULT_LIMITS);

describe('cleaning', () => {
  test.each([
    ['a/b', 'a/b'],
    ['/a//b/', 'a/b'],
    ['./a/./b/.', 'a/b'],
    ['a/../b', 'b'],
    ['a/b/../../c', 'c'],
    ['', ''],
    ['/', ''],
    ['./', ''],
    ['a/..', ''],
    ['...', '...'],
    ['..a/b..', '..a/b..'],
  ])('%j → %j', (name, path) => {
    expect(clean(name)).toEqual({ ok: true, path });
  });
  test.each(['..', '../a', '/..', 'a/../..', 'a/../../b', './..', 'a\0b'])('%j is refused', (name) => {
    expect(clean(name).ok).toBe(false);
  });
  test('what is clean stays as it is, and has no component that means anything', () => {
    const component = fc.oneof(
      fc.constantFrom('.', '..', '', '.wh.x', '...'),
      fc.string({ minLength: 1, maxLength: 5 }),
    );
    const property = fc.property(fc.array(component, { maxLength: 8 }), (parts) => {
      const result = clean(parts.join('/'));
      if (!result.ok) return;
      expect(clean(result.path)).toEqual(result);
      const components = result.path === '' ? [] : result.path.split('/');
      expect(components.filter((c) => c === '' || c === '.' || c === '..' || c.includes('\0'))).toEqual([]);
    });
    fc.assert(property, { numRuns: 1000 });
  });
  test('parents and children', () => {
    expect(splitPath('a/b/c')).toEqual({ parent: 'a/b', name: 'c' });
    expect(splitPath('a')).toEqual({ parent: '', name: 'a' });
    expect([joinPath('', 'a'), joinPath('a', 'b')]).toEqual(['a', 'a/b']);
    expect([isWithin('a', 'a'), isWithin('a', 'a/b'), isWithin('a', 'ab'), isWithin('', 'x')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
});

test.each<[string, object]>([
  ['a/b', { kind: 'none' }],
  ['a.wh.b', { kind: 'none' }],
  ['a/x.wh.', { kind: 'none' }],
  ['.wh.a', { kind: 'whiteout', path: 'a' }],
  ['d/e/.wh.a', { kind: 'whiteout', path: 'd/e/a' }],
  ['.wh..hidden', { kind: 'whiteout', path: '.hidden' }],
  ['.wh.....', { kind: 'whiteout', path: '....' }],
  ['.wh..wh..opq', { kind: 'opaque', directory: '' }],
  ['d/.wh..wh..opq', { kind: 'opaque', directory: 'd' }],
  ['.wh..wh.aufs', { kind: 'ignored' }],
  ['.wh..wh.plnk/1.2', { kind: 'link-content' }],
  ['.wh..wh.plnk/1/2', { kind: 'ignored' }],
  ['d/.wh..wh.plnk/1.2', { kind: 'ignored' }],
  ['.wh.', { kind: 'invalid', problem: 'it is a whiteout of nothing' }],
  ['.wh..', { kind: 'invalid', problem: 'it is a whiteout of "."' }],
  ['d/.wh...', { kind: 'invalid', problem: 'it is a whiteout of ".."' }],
  ['.wh.d/x', { kind: 'invalid', problem: 'its name holds a directory that starts with ".wh."' }],
])('whiteout %j', (path, meaning) => {
  expect(classifyWhiteout(path)).toEqual(meaning);
});

test('names for the kernel are bytes, names for people are text without control characters', () => {
  expect(toFsPath('/plain')).toBe('/plain');
  expect(toFsPath('/caf\xc3\xa9\xff')).toEqual(Buffer.from([0x2f, 0x63, 0x61, 0x66, 0xc3, 0xa9, 0xff]));
  expect(displayName('caf\xc3\xa9')).toBe('café');
  expect(displayName('\x1b[31m\n\x7f')).toBe('\\x1b[31m\\x0a\\x7f');
  expect(displayName('x'.repeat(5000)).length).toBeLessThan(300);
});

test('owners', () => {
  const ranges = parseIdMap('         0       1001          1\n         1     100000      65535\n');
  expect(ranges).toEqual([
    { first: 0, count: 1 },
    { first: 1, count: 65_535 },
  ]);
  const mapped = { kind: 'mapped', uids: ranges, gids: [{ first: 0, count: 1 }] } as const;
  expect(() => requireMapped(mapped, 'f', 65_535, 0)).not.toThrow();
  expect(() => requireMapped(mapped, 'f', 65_536, 0)).toThrow(
    expect.objectContaining({ code: 'ERR_TSRUN_LAYER_OWNER' }),
  );
  expect(() => requireMapped(mapped, 'f', 0, 1)).toThrow(
    '"f" of the layer belongs to gid 1, and this user\'s range in a container is 0',
  );
  expect(() => requireMapped({ kind: 'single' }, 'f', 70_000, 1)).not.toThrow();
  const everything = [{ first: 0, count: 0x1_0000_0000 }];
  expect(() =>
    requireMapped({ kind: 'mapped', uids: everything, gids: everything }, 'f', 0xffffffff, 0),
  ).toThrow('uid 4294967295');
  expect(String(overrideValue(33, 8, 0o4755))).toBe('33:8:04755');
});

test('sizes', () => {
  const meter = new SizeMeter({ ...DEFAULT_LIMITS, ratioFloor: 1000, maxRatio: 10, maxBytes: 5000 });
  const at = (compressed: number, uncompressed: number) => () => {
    Object.assign(meter, { compressed, uncompressed });
    meter.check();
  };
  expect(at(0, 1000)).not.toThrow();
  expect(at(101, 1001)).not.toThrow();
  expect(at(100, 1001)).toThrow('more than 10 bytes per compressed byte');
  expect(at(5000, 5000)).not.toThrow();
  expect(at(5001, 5001)).toThrow('more than 5000 bytes');
});
