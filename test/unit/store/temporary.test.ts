import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFileAtomic } from '../../../src/store/atomic-write.ts';
import { LayerStore } from '../../../src/store/layers.ts';
import { tryLock, waitForLock } from '../../../src/store/lock.ts';
import { temporaryDirectory } from '../../../src/store/paths.ts';
import { makerOfTemporary, sweepTemporaries, temporaryPath } from '../../../src/store/temporary.ts';
import { startTimeOf } from '../../../src/sys/process.ts';
import { temporaryDirectoryForTest, temporaryStore } from '../../support/temporary-store.ts';

test('what dead processes left is swept; what living ones make stays', async () => {
  const paths = temporaryStore();
  const ours = temporaryPath(paths, 'layer');
  mkdirSync(ours);
  const { pid } = spawnSync('true');
  const left = join(temporaryDirectory(paths), `layer-${pid}-123-abc`);
  mkdirSync(join(left, 'diff'), { recursive: true });
  const reused = join(temporaryDirectory(paths), `layer-${process.pid}-1-abc`); // our pid, another start time
  writeFileSync(reused, '');
  const foreign = join(temporaryDirectory(paths), 'not ours');
  writeFileSync(foreign, '');
  const swept = await sweepTemporaries(paths);
  expect(swept.sort()).toEqual([`layer-${pid}-123-abc`, `layer-${process.pid}-1-abc`].sort());
  expect([ours, left, reused, foreign].map((path) => existsSync(path))).toEqual([true, false, false, true]);
});

test('names tell their maker', () => {
  const name = temporaryPath(temporaryStore(), 'pin', '.json').split('/').at(-1)!;
  expect(makerOfTemporary(name)).toEqual({ pid: process.pid, startTime: startTimeOf(process.pid) });
  expect(makerOfTemporary('layer-x-1-a')).toBeUndefined();
});

test('a file is replaced whole, and no temporary one stays', () => {
  const paths = temporaryStore();
  const path = join(paths.root, 'a', 'file');
  writeFileAtomic(paths, path, 'one');
  writeFileAtomic(paths, path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(temporaryDirectory(paths))).toEqual([]);
  mkdirSync(join(paths.root, 'directory', 'full'), { recursive: true });
  expect(() => writeFileAtomic(paths, join(paths.root, 'directory'), 'x')).toThrow();
  expect(readdirSync(temporaryDirectory(paths))).toEqual([]);
});

test('a lock is held by one, and passes on', async () => {
  const path = join(temporaryDirectoryForTest(), 'lock');
  const lock = tryLock(path)!;
  expect(tryLock(path)).toBeUndefined();
  const waiting = waitForLock(path);
  lock.release();
  const second = await waiting;
  expect(tryLock(path)).toBeUndefined();
  second.releaseAndRemove();
  expect(existsSync(path)).toBe(false);
});

test('whoever waited for a removed lock file holds the one that has the name', async () => {
  const path = join(temporaryDirectoryForTest(), 'lock');
  const first = tryLock(path)!;
  const waiting = [waitForLock(path), waitForLock(path)];
  first.releaseAndRemove();
  const second = await Promise.race(waiting);
  expect(existsSync(path)).toBe(true);
  expect(tryLock(path)).toBeUndefined();
  second.releaseAndRemove();
  for (const lock of await Promise.all(waiting)) lock.release();
});

test('readers share a lock', () => {
  const path = join(temporaryDirectoryForTest(), 'lock');
  const readers = [tryLock(path, 'shared'), tryLock(path, 'shared')];
  expect(readers.every((lock) => lock !== undefined)).toBe(true);
  expect(tryLock(path, 'exclusive')).toBeUndefined();
});

test('a layer has no name before it is published, and no half one after it is removed', async () => {
  const paths = temporaryStore();
  const order: string[] = [];
  const layers = new LayerStore(paths, {
    removeTree: async (path) => void order.push(`remove ${path.split('/').at(-1)?.split('-')[0]}`),
    syncFilesystem: async (path) => void order.push(`sync ${readdirSync(path).sort().join()}`),
  });
  const record = {
    chainId: `sha256:${'a'.repeat(64)}`,
    diffId: `sha256:${'b'.repeat(64)}`,
    size: 1,
    entries: 1,
  };
  const whole = { ...record, blobDigest: record.diffId, skippedDevices: 0, squashedOwners: 0 } as Parameters<
    ReturnType<typeof layers.begin>['seal']
  >[0];
  const layer = layers.begin();
  await expect(layer.publish()).rejects.toThrow(/before it was sealed/);
  await layer.seal(whole);
  expect(layers.has(whole.chainId)).toBe(false);
  await layer.publish();
  expect(layers.has(whole.chainId)).toBe(true);
  expect(layers.record(whole.chainId)).toEqual(whole);
  await layers.remove(whole.chainId);
  await layers.remove(whole.chainId);
  expect(layers.has(whole.chainId)).toBe(false);
  expect(order).toEqual(['sync diff,layer.json', 'remove removed']);
});

/** Two commands at once: one sweeps, and meets what the supervisor of a --rm container is still emptying. */
test('a container that its supervisor is removing is left to it, and swept when that was killed', async () => {
  const paths = temporaryStore();
  const removed = join(temporaryDirectory(paths), 'removed-1-0-abc');
  mkdirSync(removed, { recursive: true });
  const lock = tryLock(removed, 'shared', 'directory')!;
  expect(await sweepTemporaries(paths)).toEqual([]);
  lock.release();
  expect(await sweepTemporaries(paths)).toEqual(['removed-1-0-abc']);
});
