/** Pulling from a real registry (Debian's docker-registry). */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureImage } from '../../src/image/ensure-image.ts';
import { plainProgress } from '../../src/image/progress/plain.ts';
import type { PullEvent } from '../../src/image/pull/events.ts';
import type { PullOptions } from '../../src/image/pull/pull-image.ts';
import { shortDigest } from '../../src/spec/digest.ts';
import type { ChainId } from '../../src/spec/image.ts';
import { parseReference } from '../../src/spec/reference.ts';
import { ImageStore } from '../../src/store/images.ts';
import { LayerStore } from '../../src/store/layers.ts';
import {
  blobPath,
  blobsDirectory,
  layerDiff,
  type StorePaths,
  temporaryDirectory,
} from '../../src/store/paths.ts';
import { hashingUnpacker } from '../support/hashing-unpacker.ts';
import {
  digestOf,
  type ImageFixture,
  imageOf,
  indexOf,
  randomImage,
  tarOf,
} from '../support/image-fixture.ts';
import { statusesOf, type TestPull, testPull } from '../support/pull-harness.ts';
import { pushDocument, pushImage } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { temporaryStore } from '../support/temporary-store.ts';

let registry: Registry;
let plain: ImageFixture;
let arm: ImageFixture;

beforeAll(async () => {
  registry = await startRegistry();
  plain = await randomImage([3_000_000, 10, 700_000, 50_000, 1]);
  arm = await randomImage([1000], { architecture: 'arm64' });
  const { host } = registry;
  await pushImage(host, 'team/app', 'v1', plain);
  await pushImage(host, 'docker/app', 'latest', imageOf([await tarOf({ a: 'docker' })], { docker: true }));
  await pushImage(host, 'zstd/app', 'latest', await randomImage([40_000], { compression: 'zstd' }));
  await pushImage(host, 'none/app', 'latest', await randomImage([40_000], { compression: 'none' }));
  await pushImage(host, 'multi', plain.manifestDigest, plain);
  await pushImage(host, 'multi', arm.manifestDigest, arm);
  const { bytes, index } = indexOf([
    { image: arm, architecture: 'arm64', variant: 'v8' },
    { image: plain, architecture: 'amd64' },
  ]);
  await pushDocument(host, 'multi', 'latest', index.mediaType!, bytes);
});

afterAll(() => registry[Symbol.asyncDispose]());

const pull = (paths: StorePaths, name: string, more: Partial<PullOptions> = {}): TestPull =>
  testPull(paths, `${registry.host}/${name}`, more);

describe('pull', () => {
  test('fetches, verifies, and stores everything', async () => {
    const paths = temporaryStore();
    const { result, events, unpacker } = pull(paths, 'team/app:v1');
    const { record, isNew } = await result;
    expect(isNew).toBe(true);
    expect(record).toMatchObject({
      reference: `${registry.host}/team/app:v1`,
      digest: plain.manifestDigest,
      manifestDigest: plain.manifestDigest,
      imageId: plain.manifest.config.digest,
      platform: 'linux/amd64',
    });
    expect(record.layers.map((l) => l.diffId)).toEqual(plain.layers.map((l) => l.diffId));
    for (const [i, layer] of record.layers.entries()) {
      const archive = readFileSync(`${layerDiff(paths, layer.chainId)}/archive`);
      expect(digestOf(archive)).toBe(plain.layers[i]!.diffId);
      expect(new LayerStore(paths).record(layer.chainId)).toMatchObject({
        diffId: layer.diffId,
        blobDigest: layer.blobDigest,
      });
    }
    const store = new ImageStore(paths);
    expect(store.missingParts(record)).toEqual([]);
    expect(store.config(record).config?.Cmd).toEqual(['/bin/sh']);
    expect(store.manifest(record)).toEqual(plain.manifest);
    expect(readdirSync(temporaryDirectory(paths))).toEqual([]);
    expect(readdirSync(`${paths.root}/locks`)).toEqual(['garbage']);
    expect(readdirSync(blobsDirectory(paths)).filter((n) => n.includes('partial'))).toEqual([]);
    expect(statusesOf(events, 'complete')).toBe(5);
    expect(unpacker.opened.map((t) => t.lowers.length)).toEqual([0, 1, 2, 3, 4]);
    expect(events.at(-1)).toMatchObject({ type: 'done', isNew: true });
  });

  test('a second time says that the image is up to date, and fetches nothing', async () => {
    const paths = temporaryStore();
    await pull(paths, 'team/app:v1').result;
    const { result, events, unpacker } = pull(paths, 'team/app:v1');
    expect((await result).isNew).toBe(false);
    expect(unpacker.opened).toEqual([]);
    expect(events.map((e) => e.type)).toEqual(['pulling', 'done']);
  });

  test('layers that are there already are not fetched again', async () => {
    const paths = temporaryStore();
    await pull(paths, 'team/app:v1').result;
    const { result, events } = pull(paths, `multi@${plain.manifestDigest}`);
    expect((await result).record.reference).toBe(`${registry.host}/multi@${plain.manifestDigest}`);
    expect(statusesOf(events, 'exists')).toBe(5);
    expect(statusesOf(events, 'downloading')).toBe(0);
  });

  // It was "Pulling fs layer", "Already exists", "Download complete".
  test('a blob that was lost of a layer that is there is pulled like any other, and not unpacked', async () => {
    const paths = temporaryStore();
    const { record } = await pull(paths, 'team/app:v1').result;
    const [lost] = record.layers;
    rmSync(blobPath(paths, lost!.blobDigest));
    const { result, events, unpacker } = pull(paths, 'team/app:v1');
    await result;
    expect(existsSync(blobPath(paths, lost!.blobDigest))).toBe(true);
    expect(unpacker.opened).toEqual([]);
    const lines: string[] = [];
    const progress = plainProgress((line) => void lines.push(line));
    for (const event of events) if (event.type === 'layer') progress.listen(event);
    const ofLost = lines.filter((line) => line.startsWith(shortDigest(lost!.blobDigest)));
    expect(ofLost.map((line) => line.slice(line.indexOf(' ') + 1))).toEqual([
      'Pulling fs layer\n',
      'Download complete\n',
      'Pull complete\n',
    ]);
    expect(lines.filter((line) => line.endsWith(': Already exists\n'))).toHaveLength(4);
  });

  test.each(['docker', 'zstd', 'none'])('%s layers', async (kind) => {
    const paths = temporaryStore();
    const { record } = await pull(paths, `${kind}/app`).result;
    expect(existsSync(layerDiff(paths, record.layers[0]!.chainId))).toBe(true);
  });

  test('an index leads to the image for the platform', async () => {
    const paths = temporaryStore();
    const amd64 = (await pull(paths, 'multi', { platform: { os: 'linux', architecture: 'amd64' } }).result)
      .record;
    expect(amd64.manifestDigest).toBe(plain.manifestDigest);
    expect(amd64.digest).not.toBe(plain.manifestDigest);
    const other = (await pull(paths, 'multi', { platform: { os: 'linux', architecture: 'arm64' } }).result)
      .record;
    expect(other).toMatchObject({ manifestDigest: arm.manifestDigest, platform: 'linux/arm64' });
    const missing = pull(paths, 'multi', { platform: { os: 'linux', architecture: 's390x' } }).result;
    await expect(missing).rejects.toMatchObject({
      code: 'ERR_TSRUN_PLATFORM',
      message: expect.stringContaining('it has linux/arm64/v8, linux/amd64'),
    });
  });

  test('a missing tag and a missing repository are told apart', async () => {
    const paths = temporaryStore();
    await expect(pull(paths, 'team/app:v2').result).rejects.toMatchObject({
      code: 'ERR_TSRUN_TAG_UNKNOWN',
      message: `${registry.host}/team/app has no tag v2`,
      hint: 'tags that exist: v1',
      cause: { message: expect.stringContaining('MANIFEST_UNKNOWN') },
    });
    await expect(pull(paths, 'team/nothing').result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REPOSITORY_UNKNOWN',
    });
  });

  test('two pulls at once share the downloads', async () => {
    const paths = temporaryStore();
    const both = [pull(paths, 'team/app:v1'), pull(paths, 'team/app:v1')];
    await Promise.all(both.map((p) => p.result));
    const extracted = both.reduce((sum, p) => sum + p.unpacker.opened.length, 0);
    expect(extracted).toBe(5);
  });
});

describe('policies', () => {
  const ensure = (paths: StorePaths, name: string, policy: 'always' | 'missing' | 'never' | 'newer') => {
    const events: PullEvent[] = [];
    const result = ensureImage({
      paths,
      name,
      policy,
      unpacker: hashingUnpacker(),
      environment: { HOME: '/nonexistent' },
      searchRegistries: [registry.host],
      onEvent: (event) => events.push(event),
    });
    return { result, events };
  };

  test('missing pulls once; a short name then means the image of the store', async () => {
    const paths = temporaryStore();
    const first = ensure(paths, 'team/app:v1', 'missing');
    expect((await first.result).record.reference).toBe(`${registry.host}/team/app:v1`);
    expect(first.events[0]).toEqual({
      type: 'resolved',
      written: 'team/app:v1',
      reference: `${registry.host}/team/app:v1`,
    });
    const second = ensure(paths, 'app:v1', 'missing');
    expect((await second.result).isNew).toBe(false);
    expect(second.events).toEqual([
      { type: 'resolved', written: 'app:v1', reference: `${registry.host}/team/app:v1` },
    ]);
  });

  test('the unpacker is told which layers come when the manifest is there, and of none that are there already', async () => {
    const paths = temporaryStore();
    const started: (string | number)[] = [];
    const unpacker = hashingUnpacker();
    const watched = {
      ...unpacker,
      prepare: () => {
        if (!started.includes('prepared')) started.push('prepared'); // while the manifest is waited for, and before the first layer
      },
      expect: (layers: readonly unknown[]) => {
        if (started.at(-1) !== layers.length) started.push(layers.length);
      },
      close: async () => {
        if (started.at(-1) !== 'closed') started.push('closed');
      },
    };
    const pullTag = (tag: string) =>
      ensureImage({
        paths,
        name: `${registry.host}/team/app:${tag}`,
        policy: 'always',
        unpacker: watched,
        environment: { HOME: '/nonexistent' },
      });
    await expect(pullTag('missing')).rejects.toMatchObject({ code: 'ERR_TSRUN_TAG_UNKNOWN' });
    expect(started.at(-1)).toBe('closed'); // nothing that was started outlives a pull that failed
    expect(started).not.toContain(5);
    started.length = 0;
    const { record } = await pullTag('v1');
    expect(record.layers).toHaveLength(5);
    expect(started).toEqual(['prepared', 5, 'closed']);
    started.length = 0;
    await pullTag('v1');
    expect(started).toEqual(['closed']); // up to date: nothing to unpack
  });

  test('an unpacker that cannot start is told of when a layer is there to be unpacked', async () => {
    const paths = temporaryStore();
    const name = (tag: string) => `${registry.host}/team/app:${tag}`;
    const unpacker = { ...hashingUnpacker(), prepare: () => Promise.reject(new Error('no namespaces')) };
    const more = { paths, policy: 'always', unpacker, environment: { HOME: '/nonexistent' } } as const;
    await expect(ensureImage({ ...more, name: name('missing') })).rejects.toMatchObject({
      code: 'ERR_TSRUN_TAG_UNKNOWN',
    });
    await expect(ensureImage({ ...more, name: name('v1') })).rejects.toThrow('no namespaces');
  });

  test('never fails with a hint, and does not ask the registry', async () => {
    const paths = temporaryStore();
    await expect(ensure(paths, 'team/app:v1', 'never').result).rejects.toMatchObject({
      code: 'ERR_TSRUN_IMAGE_NOT_LOCAL',
      exitCode: 125,
      hint: 'tsrun pull team/app:v1',
    });
  });

  test('a layer that was lost is fetched again', async () => {
    const paths = temporaryStore();
    const { record } = await ensure(paths, 'team/app:v1', 'missing').result;
    await new LayerStore(paths).remove(record.layers[2]!.chainId as ChainId);
    const again = ensure(paths, 'team/app:v1', 'missing');
    await again.result;
    expect(statusesOf(again.events, 'complete')).toBe(1);
    expect(new ImageStore(paths).missingParts(record)).toEqual([]);
  });

  test('newer makes do with the store when the registry is gone', async () => {
    const paths = temporaryStore();
    const { record } = await ensure(paths, 'team/app:v1', 'missing').result;
    const store = new ImageStore(paths);
    const gone = store.tag(record, parseReference('127.0.0.1:1/team/app:v1'));
    const { result, events } = ensure(paths, gone.reference, 'newer');
    expect((await result).record.imageId).toBe(record.imageId);
    expect(events.at(-1)).toMatchObject({
      type: 'warning',
      text: expect.stringContaining('cannot reach registry 127.0.0.1:1'),
    });
    await expect(ensure(paths, gone.reference, 'always').result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_UNREACHABLE',
    });
  });
});
