import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LoadOptions, loadLayout } from '../../../src/image/load-layout.ts';
import type { PullEvent } from '../../../src/image/pull/events.ts';
import { ImageStore } from '../../../src/store/images.ts';
import { layerDiff, type StorePaths, temporaryDirectory } from '../../../src/store/paths.ts';
import { hashingUnpacker } from '../../support/hashing-unpacker.ts';
import { digestOf, imageOf, randomImage, tarOf, writeLayout } from '../../support/image-fixture.ts';
import { temporaryDirectoryForTest, temporaryStore } from '../../support/temporary-store.ts';

function load(paths: StorePaths, directory: string, more: Partial<LoadOptions> = {}) {
  return loadLayout({ paths, directory, unpacker: hashingUnpacker(), ...more });
}

test('an image gets the name of its annotation, or the given one', async () => {
  const paths = temporaryStore();
  const directory = temporaryDirectoryForTest();
  const image = await randomImage([1000, 2000]);
  writeLayout(directory, [{ image, name: 'docker.io/library/busybox:latest' }]);
  const record = await load(paths, directory);
  expect(record).toMatchObject({
    reference: 'docker.io/library/busybox:latest',
    imageId: image.manifest.config.digest,
  });
  expect(new ImageStore(paths).missingParts(record)).toEqual([]);
  expect((await load(paths, directory, { name: 'localhost/b:1' })).reference).toBe('localhost/b:1');
  expect(new ImageStore(paths).list()).toHaveLength(2);
});

test('a second time nothing is unpacked', async () => {
  const paths = temporaryStore();
  const directory = temporaryDirectoryForTest();
  writeLayout(directory, [{ image: await randomImage([1000]), name: 'a' }]);
  await load(paths, directory);
  const unpacker = hashingUnpacker();
  await load(paths, directory, { unpacker });
  expect(unpacker.opened).toEqual([]);
});

test('one of several images is chosen by its name', async () => {
  const paths = temporaryStore();
  const directory = temporaryDirectoryForTest();
  const [a, b] = [await randomImage([1]), await randomImage([2])];
  writeLayout(directory, [
    { image: a, name: 'a' },
    { image: b, name: 'b' },
  ]);
  await expect(load(paths, directory)).rejects.toThrow(/several images, say which one: a, b/);
  expect((await load(paths, directory, { name: 'b' })).imageId).toBe(b.manifest.config.digest);
});

test('the same layer twice, and no layer at all', async () => {
  const tar = await tarOf({ a: 'b' });
  for (const [tars, name] of [
    [[tar, tar, tar], 'thrice'],
    [[], 'none'],
  ] as const) {
    const paths = temporaryStore();
    const directory = temporaryDirectoryForTest();
    writeLayout(directory, [{ image: imageOf([...tars]), name }]);
    const record = await load(paths, directory);
    expect(new Set(record.layers.map((l) => l.chainId)).size).toBe(tars.length);
    for (const layer of record.layers)
      expect(readdirSync(layerDiff(paths, layer.chainId))).toEqual(['archive']);
  }
});

test('what is damaged is refused', async () => {
  const paths = temporaryStore();
  const directory = temporaryDirectoryForTest();
  await expect(load(paths, directory)).rejects.toThrow(/index.json is missing/);
  const image = await randomImage([1000]);
  writeLayout(directory, [{ image }]);
  await expect(load(paths, directory)).rejects.toThrow(/its image has no name, and none was given/);
  const layer = image.layers[0]!;
  const path = join(directory, 'blobs', 'sha256', layer.descriptor.digest.slice(7));
  writeFileSync(path, Buffer.alloc(layer.blob.length));
  const wrong = digestOf(Buffer.alloc(layer.blob.length));
  await expect(load(paths, directory, { name: 'a' })).rejects.toThrow(
    `expected ${layer.descriptor.digest}, got ${wrong}`,
  );
  writeFileSync(path, layer.blob.subarray(1));
  await expect(load(paths, directory, { name: 'a' })).rejects.toThrow(/wrong size/);
  rmSync(path);
  await expect(load(paths, directory, { name: 'a' })).rejects.toThrow(/blob sha256:\w+ is missing/);
  expect(readdirSync(temporaryDirectory(paths))).toEqual([]);
  expect(new ImageStore(paths).list()).toEqual([]);
});

test('an image for another machine: a warning, or an error when it was asked for', async () => {
  const directory = temporaryDirectoryForTest();
  writeLayout(directory, [{ image: await randomImage([1], { architecture: 's390x' }), name: 'a' }]);
  const events: PullEvent[] = [];
  await load(temporaryStore(), directory, { onEvent: (e) => events.push(e) });
  expect(events.filter((e) => e.type === 'warning')).toEqual([
    {
      type: 'warning',
      text: expect.stringContaining('docker.io/library/a:latest is for linux/s390x, and this machine is'),
    },
  ]);
  const platform = { os: 'linux', architecture: 'amd64' };
  await expect(load(temporaryStore(), directory, { platform })).rejects.toThrow(
    'has no image for linux/amd64; it has linux/s390x',
  );
});

test("layouts of other people's tools: umoci", async () => {
  const directory = join(temporaryDirectoryForTest(), 'layout');
  const umoci = (...args: string[]) => execFileSync('umoci', args, { stdio: 'pipe' });
  umoci('init', '--layout', directory);
  umoci('new', '--image', `${directory}:latest`);
  umoci('config', '--image', `${directory}:latest`, '--config.cmd', '/bin/true', '--architecture', 'amd64');
  const paths = temporaryStore();
  const record = await load(paths, directory, { name: 'localhost/made:1' });
  expect(record.layers).toEqual([]);
  expect(new ImageStore(paths).config(record).config?.Cmd).toEqual(['/bin/true']);
});
