/**
 * The store's place. With a relative --root an image was pulled, and then no container started ("the container’s stdout: No such file or
 * directory"): the supervisor has another working directory than the command that starts it.
 */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { normalPath, storeRoot } from '../../../src/store/store-root.ts';

test('--root is absolute and normal, from wherever it is written', () => {
  expect(storeRoot('/a/b')).toBe('/a/b');
  expect(storeRoot('/a//b/../c/')).toBe('/a/c');
  expect(storeRoot('store')).toBe(join(process.cwd(), 'store'));
  expect(storeRoot('./x/../store/')).toBe(join(process.cwd(), 'store'));
});

test('otherwise it is in $XDG_DATA_HOME, unless that is relative, or in the home directory', () => {
  expect(storeRoot(undefined, { XDG_DATA_HOME: '/data/', HOME: '/home/me' })).toBe('/data/tsrun');
  expect(storeRoot(undefined, { XDG_DATA_HOME: 'data', HOME: '/home/me' })).toBe(
    '/home/me/.local/share/tsrun',
  );
  // With these it was in the root directory, or in whatever directory the command was called in.
  for (const HOME of ['', 'me', './'])
    expect(storeRoot(undefined, { HOME })).toBe(`${userInfo().homedir}/.local/share/tsrun`);
  expect(storeRoot(undefined, { XDG_DATA_HOME: '', HOME: '/home/me/' })).toBe('/home/me/.local/share/tsrun');
});

test('a path is normal without a slash at its end', () => {
  for (const path of ['/a/', '/a/.', '//a', '/a/b/..', '/./a']) expect(normalPath(path), path).toBe('/a');
  expect(normalPath('/')).toBe('/');
});
