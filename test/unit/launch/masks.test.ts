/**
 * What is hidden below what a container has mounted over /proc or /sys. An image with a VOLUME /sys did not start ("find /sys/dev/block
 * inside the root: No such file or directory"), though there was nothing left to be hidden.
 */
import { expect, test } from 'vitest';
import { behindMounts, type PathKind } from '../../../src/launch/masks.ts';
import type { RuntimeMount } from '../../../src/spec/runtime.ts';

const ON_HOST: Record<string, 'file' | 'directory'> = {
  '/proc/kcore': 'file',
  '/sys/firmware': 'directory',
  '/data/firmware': 'directory',
};
const host: PathKind = (path) => ON_HOST[path] ?? 'absent';
const mount = (type: string, source: string, destination: string): RuntimeMount => ({
  type,
  source,
  destination,
});
const BASE = [mount('proc', 'proc', '/proc'), mount('sysfs', 'sysfs', '/sys')];
const kind = (mounts: RuntimeMount[], path: string) => behindMounts([...BASE, ...mounts], host)(path);

test('the kernel shows the same in a container as on the host', () => {
  expect(kind([], '/proc/kcore')).toBe('file');
  expect(kind([], '/sys/firmware')).toBe('directory');
  expect(kind([], '/sys/absent')).toBe('absent');
});

test('the host’s own /sys or /proc, bound, is hidden no less', () => {
  expect(kind([mount('bind', '/sys', '/sys')], '/sys/firmware')).toBe('directory');
  expect(kind([mount('bind', '/proc', '/proc')], '/proc/kcore')).toBe('file');
});

test('a directory over /sys has what it has, a new file system nothing', () => {
  expect(kind([mount('bind', '/empty', '/sys')], '/sys/firmware')).toBe('absent');
  expect(kind([mount('bind', '/data', '/sys')], '/sys/firmware')).toBe('directory');
  expect(kind([mount('tmpfs', 'tmpfs', '/sys')], '/sys/firmware')).toBe('absent');
});

test('what is mounted on the very path, or elsewhere, changes nothing', () => {
  expect(kind([mount('bind', '/empty', '/sys/firmware')], '/sys/firmware')).toBe('directory');
  expect(kind([mount('tmpfs', 'tmpfs', '/sys/firm')], '/sys/firmware')).toBe('directory');
});
