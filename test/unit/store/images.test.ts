import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ChainId, DiffId, Digest } from '../../../src/spec/image.ts';
import { parseReference } from '../../../src/spec/reference.ts';
import { collectGarbage } from '../../../src/store/garbage.ts';
import { sha256 } from '../../../src/store/hash.ts';
import { type ImageRecord, recordFileName } from '../../../src/store/image-record.ts';
import { ImageStore } from '../../../src/store/images.ts';
import { LayerStore } from '../../../src/store/layers.ts';
import {
  blobPath,
  blobsDirectory,
  containerRecord,
  imageRecordPath,
  imagesDirectory,
  layersDirectory,
  partialBlobPath,
  type StorePaths,
} from '../../../src/store/paths.ts';
import { pin } from '../../../src/store/pins.ts';
import { temporaryStore } from '../../support/temporary-store.ts';

const HOOKS = {
  removeTree: async (path: string) => (await import('node:fs')).rmSync(path, { recursive: true }),
  syncFilesystem: async () => {},
};

function putBlob(paths: StorePaths, text: string): Digest {
  const digest = sha256(text);
  mkdirSync(blobsDirectory(paths), { recursive: true });
  writeFileSync(blobPath(paths, digest), text);
  return digest;
}

async function putLayer(paths: StorePaths, name: string): Promise<ChainId> {
  const chainId = sha256(`chain ${name}`) as Digest as ChainId;
  const layer = new LayerStore(paths, HOOKS).begin();
  const diffId = sha256(name) as DiffId;
  await layer.seal({
    chainId,
    diffId,
    blobDigest: sha256(`blob ${name}`),
    size: 1,
    entries: 1,
    skippedDevices: 0,
    squashedOwners: 0,
  });
  await layer.publish();
  return chainId;
}

/** An image of these layers, complete in the store. */
async function putImage(paths: StorePaths, reference: string, layers: string[]): Promise<ImageRecord> {
  const chain = await Promise.all(layers.map((name) => putLayer(paths, name)));
  const record: ImageRecord = {
    reference,
    digest: putBlob(paths, `manifest ${layers}`),
    manifestDigest: putBlob(paths, `manifest ${layers}`),
    imageId: putBlob(paths, `config ${layers}`),
    platform: 'linux/amd64',
    layers: layers.map((name, i) => ({
      chainId: chain[i]!,
      diffId: sha256(name) as DiffId,
      blobDigest: putBlob(paths, `blob ${name}`),
      size: 1,
    })),
    pulledAt: '2024-01-01T00:00:00Z',
  };
  new ImageStore(paths).put(record);
  return record;
}

const refers = (paths: StorePaths, name: string): string | undefined =>
  new ImageStore(paths).resolve(name)?.reference;

/** Does `something` while the names of images are read for the first time: the reader sees none of what comes of it. */
function whileListed(something: () => void): void {
  const names: ImageRecord[] = [];
  vi.spyOn(ImageStore.prototype, 'list').mockImplementationOnce(() => {
    something();
    return names;
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

describe('resolve', () => {
  test('full names, and what they leave out', async () => {
    const paths = temporaryStore();
    await putImage(paths, 'docker.io/library/httpd:latest', ['a']);
    for (const name of [
      'httpd',
      'httpd:latest',
      'library/httpd',
      'docker.io/httpd',
      'docker.io/library/httpd:latest',
    ]) {
      expect(refers(paths, name)).toBe('docker.io/library/httpd:latest');
    }
    for (const name of ['httpd:2', 'quay.io/httpd', 'localhost/httpd', 'ttpd', 'other/httpd'])
      expect(refers(paths, name)).toBeUndefined();
  });

  test('short names: docker.io, then localhost, then the only one that ends so', async () => {
    const paths = temporaryStore();
    await putImage(paths, 'quay.io/team/app:latest', ['q']);
    expect(refers(paths, 'app')).toBe('quay.io/team/app:latest');
    expect(refers(paths, 'team/app')).toBe('quay.io/team/app:latest');
    expect(refers(paths, 'app:v1')).toBeUndefined();
    await putImage(paths, 'ghcr.io/app:latest', ['g']);
    expect(() => refers(paths, 'app')).toThrow(
      /names several images of the store: ghcr.io\/app:latest, quay.io\/team\/app:latest/,
    );
    await putImage(paths, 'localhost/app:latest', ['l']);
    expect(refers(paths, 'app')).toBe('localhost/app:latest');
    await putImage(paths, 'docker.io/library/app:latest', ['d']);
    expect(refers(paths, 'app')).toBe('docker.io/library/app:latest');
  });

  test('ids and their beginnings', async () => {
    const paths = temporaryStore();
    const { imageId, reference } = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    new ImageStore(paths).tag(
      (await putImage(paths, 'docker.io/library/b:latest', ['b']))!,
      parseReference('b:2'),
    );
    for (const id of [
      imageId,
      imageId.slice(7),
      imageId.slice(7, 19),
      imageId.slice(7, 11),
      imageId.slice(0, 20),
    ])
      expect(refers(paths, id)).toBe(reference);
    expect(refers(paths, imageId.slice(7, 10))).toBeUndefined();
    expect(refers(paths, 'f'.repeat(64))).toBeUndefined();
  });

  test('a name before an id', async () => {
    const paths = temporaryStore();
    const { imageId } = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    const prefix = imageId.slice(7, 13);
    await putImage(paths, `docker.io/library/${prefix}:latest`, ['b']);
    expect(refers(paths, prefix)).toBe(`docker.io/library/${prefix}:latest`);
  });

  test('digests of what was pulled by tag', async () => {
    const paths = temporaryStore();
    const { digest } = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    expect(refers(paths, `a@${digest}`)).toBe('docker.io/library/a:latest');
    expect(refers(paths, `quay.io/a@${digest}`)).toBeUndefined();
    expect(refers(paths, `a@${sha256('other')}`)).toBeUndefined();
  });

  test('names too long for a file', async () => {
    const paths = temporaryStore();
    const long = `docker.io/${'a/'.repeat(100)}b:${'t'.repeat(128)}`;
    await putImage(paths, long, ['a']);
    expect(refers(paths, long)).toBe(long);
    expect(recordFileName(long).length).toBeLessThan(256);
    expect(new ImageStore(paths).list()).toHaveLength(1);
  });
});

describe('names', () => {
  test('an image that loses its last name is kept without one, until it gets one again', async () => {
    const paths = temporaryStore();
    const store = new ImageStore(paths);
    const old = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    await putImage(paths, 'docker.io/library/a:latest', ['b']);
    expect(store.list().map((i) => i.reference)).toContain(`<none>@${old.imageId}`);
    expect(store.resolve(old.imageId)?.imageId).toBe(old.imageId);
    store.tag(store.resolve(old.imageId)!, parseReference('a:old'));
    expect(store.list().map((i) => i.reference)).toEqual([
      'docker.io/library/a:latest',
      'docker.io/library/a:old',
    ]);
  });

  test('a damaged record is named, and nothing else suffers', async () => {
    const paths = temporaryStore();
    const store = new ImageStore(paths);
    await putImage(paths, 'docker.io/library/a:latest', ['a']);
    await putImage(paths, 'docker.io/library/b:latest', ['b']);
    const path = imageRecordPath(paths, recordFileName('docker.io/library/a:latest'));
    truncateSync(path, 50);
    expect(store.survey()).toMatchObject({
      images: [{ reference: 'docker.io/library/b:latest' }],
      damaged: [{ path }],
    });
    expect(store.resolve('a')).toBeUndefined();
    await putImage(paths, 'docker.io/library/a:latest', ['a']);
    expect(store.survey().damaged).toEqual([]);
  });

  // Who ran it was told that it is not JSON, and not what to do.
  test('a damaged configuration is named, with the line that heals it', async () => {
    const paths = temporaryStore();
    const record = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    writeFileSync(blobPath(paths, record.imageId), '{"os":');
    const read = (reference: string) => () => new ImageStore(paths).config({ ...record, reference });
    expect(read(record.reference)).toThrow(
      expect.objectContaining({
        code: 'ERR_TSRUN_DOCUMENT',
        message: 'the config of docker.io/library/a:latest is not valid: it is not JSON',
        hint: 'tsrun pull docker.io/library/a:latest',
        cause: expect.any(SyntaxError),
      }),
    );
    expect(read('localhost/a:latest')).toThrow(expect.objectContaining({ hint: undefined }));
  });

  test('what is lost is noticed', async () => {
    const paths = temporaryStore();
    const record = await putImage(paths, 'docker.io/library/a:latest', ['a', 'b']);
    const store = new ImageStore(paths);
    expect(store.missingParts(record)).toEqual([]);
    await new LayerStore(paths).remove(record.layers[1]!.chainId);
    expect(store.missingParts(record)).toEqual([`layer ${record.layers[1]!.chainId}`]);
    expect(() => store.config({ ...record, imageId: sha256('gone') })).toThrow(
      /cannot read .* of image docker.io\/library\/a:latest/,
    );
  });
});

describe('removal', () => {
  const addContainer = (paths: StorePaths, id: string, content: object | string): void => {
    mkdirSync(dirname(containerRecord(paths, id)), { recursive: true });
    writeFileSync(
      containerRecord(paths, id),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  };
  const counts = (paths: StorePaths) =>
    [layersDirectory, blobsDirectory, imagesDirectory].map((d) => readdirSync(d(paths)).length);

  test('takes what only this image needed', async () => {
    const paths = temporaryStore();
    const a = await putImage(paths, 'docker.io/library/a:latest', ['base', 'a']);
    await putImage(paths, 'docker.io/library/b:latest', ['base', 'b']);
    expect((await collectGarbage(paths)).layers).toEqual([]);
    expect(new ImageStore(paths).remove(a)).toEqual(['docker.io/library/a:latest']);
    const collected = await collectGarbage(paths);
    expect(collected.layers).toEqual([a.layers[1]!.chainId.slice(7)]);
    expect(counts(paths)).toEqual([2, 4, 1]);
  });

  test('is refused while a container is made from the image; by force its layers stay', async () => {
    const paths = temporaryStore();
    const image = await putImage(paths, 'docker.io/library/a:latest', ['a', 'b']);
    addContainer(paths, 'c0ffee'.repeat(10), { layers: image.layers.map((l) => l.chainId) });
    const store = new ImageStore(paths);
    expect(() => store.remove(image)).toThrow(
      'image docker.io/library/a:latest is used by container c0ffeec0ffee',
    );
    store.remove(image, { force: true });
    await collectGarbage(paths);
    expect(counts(paths)).toEqual([2, 0, 0]);
  });

  test('removes no layer while nobody knows what a container stands on', async () => {
    const paths = temporaryStore();
    const image = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    addContainer(paths, 'abc', '{"layers": [');
    new ImageStore(paths).remove(image);
    expect(await collectGarbage(paths)).toMatchObject({ layers: [], unreadable: ['abc'] });
    expect(counts(paths)[0]).toBe(1);
  });

  test('spares what a living process has pinned', async () => {
    const paths = temporaryStore();
    const image = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    new ImageStore(paths).remove(image);
    const pinned = await pin(paths, { layers: [image.layers[0]!.chainId], blobs: [image.imageId] });
    await collectGarbage(paths);
    expect(counts(paths)).toEqual([1, 1, 0]);
    pinned[Symbol.dispose]();
    await collectGarbage(paths);
    expect(counts(paths)).toEqual([0, 0, 0]);
  });

  // Once the pins were read after the images: what a pull let go of in between, with its image's record written, was in neither.
  test('spares the image of a pull that ends while garbage is looked for', async () => {
    const paths = temporaryStore();
    const image = await putImage(paths, 'docker.io/library/a:latest', ['a']);
    const { layers, digest, manifestDigest, imageId } = image;
    new ImageStore(paths).remove(image);
    const pull = await pin(paths, {
      layers: layers.map(({ chainId }) => chainId),
      blobs: [digest, manifestDigest, imageId, ...layers.map(({ blobDigest }) => blobDigest)],
    });
    whileListed(() => {
      new ImageStore(paths).put(image);
      pull[Symbol.dispose]();
    });
    await collectGarbage(paths);
    expect(new ImageStore(paths).missingParts(image)).toEqual([]);
  });

  test('spares the image whose tag moves while garbage is looked for', async () => {
    const paths = temporaryStore();
    const image = await putImage(paths, 'docker.io/library/b:latest', ['b']);
    whileListed(() => {
      new ImageStore(paths).tag(image, parseReference('a'));
      new ImageStore(paths).untag(image.reference);
    });
    await collectGarbage(paths);
    expect(new ImageStore(paths).missingParts(image)).toEqual([]);
  });

  test('keeps recent downloads that were cut, unless told otherwise', async () => {
    const paths = temporaryStore();
    mkdirSync(blobsDirectory(paths), { recursive: true });
    writeFileSync(partialBlobPath(paths, sha256('x')), 'part');
    await collectGarbage(paths);
    expect(readdirSync(blobsDirectory(paths))).toHaveLength(1);
    await collectGarbage(paths, { partialDays: 0 });
    expect(readdirSync(blobsDirectory(paths))).toEqual([]);
  });

  test('an empty store has no garbage', async () => {
    expect(await collectGarbage(temporaryStore())).toEqual({ layers: [], blobs: [], unreadable: [] });
  });
});

test('no path of the store is spelled by a name', async () => {
  const paths = temporaryStore();
  await putImage(paths, 'docker.io/library/a:latest', ['a']);
  expect(readdirSync(imagesDirectory(paths))).toEqual(['docker.io%2Flibrary%2Fa%3Alatest.json']);
  expect(recordFileName('a/../../b')).toBe(join('a%2F..%2F..%2Fb.json'));
});
