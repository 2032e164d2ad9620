/** What a registry, or the network before it, may do wrong. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/spec/image.ts';
import { ImageStore } from '../../src/store/images.ts';
import {
  blobPath,
  blobsDirectory,
  layersDirectory,
  partialBlobPath,
  type StorePaths,
  temporaryDirectory,
} from '../../src/store/paths.ts';
import { type FakeRegistry, handled, startFakeRegistry } from '../support/fake-registry.ts';
import { digestOf, type ImageFixture, randomImage } from '../support/image-fixture.ts';
import { statusesOf, testPull } from '../support/pull-harness.ts';
import { temporaryStore } from '../support/temporary-store.ts';

const SIZE = 400_000;

/** One-layer image, and a registry that has it. */
async function setUp(): Promise<{
  image: ImageFixture;
  registry: FakeRegistry;
  paths: StorePaths;
  layer: Digest;
  blob: Buffer;
}> {
  const image = await randomImage([SIZE]);
  const registry = await startFakeRegistry(image);
  const { blob, descriptor } = image.layers[0]!;
  return { image, registry, paths: temporaryStore(), layer: descriptor.digest, blob };
}

/** Sends `bytes`, then breaks the connection. */
function cut(
  response: ServerResponse,
  bytes: Buffer,
  headers: Record<string, string | number>,
  status = 200,
): true {
  response.writeHead(status, headers);
  response.write(bytes, () => response.socket?.destroy());
  return true;
}

/** Nothing but blobs and partial blobs is left. */
function expectNoTrace(paths: StorePaths): void {
  expect(readdirSync(temporaryDirectory(paths))).toEqual([]);
  expect(existsSync(layersDirectory(paths)) ? readdirSync(layersDirectory(paths)) : []).toEqual([]);
  expect(new ImageStore(paths).list()).toEqual([]);
}

describe('what is asked for', () => {
  test('the configuration and the layers, together', async () => {
    const { image, registry, paths, layer } = await setUp();
    const config = image.manifest.config.digest;
    const held: (() => void)[] = [];
    // The configuration is not answered before the layer is asked for.
    registry.override = (request, response) => {
      if (request.url!.endsWith(config)) held.push(() => response.end(image.blobs.get(config)));
      if (request.url!.endsWith(layer)) for (const answer of held) answer();
      return request.url!.endsWith(config);
    };
    const { record } = await testPull(paths, `${registry.host}/a`).result;
    expect(record.imageId).toBe(config);
  });

  test('nothing is kept of an image for another system', async () => {
    const image = await randomImage([SIZE], { architecture: 'arm64' });
    const registry = await startFakeRegistry(image);
    const paths = temporaryStore();
    const platform = { os: 'linux', architecture: 'riscv64' };
    const { result } = testPull(paths, `${registry.host}/a`, { platform });
    await expect(result).rejects.toMatchObject({ code: 'ERR_TSRUN_PLATFORM' });
    expectNoTrace(paths);
    expect(readdirSync(blobsDirectory(paths)).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });
});

describe('blobs that are not what they should be', () => {
  test('wrong bytes: named, and removed', async () => {
    const { registry, paths, layer, blob } = await setUp();
    const wrong = Buffer.from(blob);
    wrong[SIZE / 2]! ^= 1;
    registry.override = (request, response) => request.url!.endsWith(layer) && handled(response.end(wrong));
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_MISMATCH',
      message: `layer ${layer} has the wrong digest: expected ${layer}, got ${digestOf(wrong)}`,
    });
    expectNoTrace(paths);
    expect(readdirSync(blobsDirectory(paths)).some((name) => name.startsWith(layer.slice(7)))).toBe(false);
  });

  test('more bytes than announced: stopped at the first', async () => {
    const { registry, paths, layer, blob } = await setUp();
    registry.override = (request, response) => {
      if (!request.url!.endsWith(layer)) return false;
      response.writeHead(200);
      const endless = (): void => void response.write(blob, endless);
      endless();
      return true;
    };
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_MISMATCH',
      data: { property: 'size', expected: String(blob.length) },
    });
    expectNoTrace(paths);
  });

  test('fewer bytes than announced', async () => {
    const { registry, paths, layer, blob } = await setUp();
    registry.override = (request, response) =>
      request.url!.endsWith(layer) && handled(response.writeHead(200, { 'content-length': 5 }).end('short'));
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toMatchObject({
      message: `layer ${layer} has the wrong size: expected ${blob.length}, got 5`,
    });
    expectNoTrace(paths);
  });

  test('a layer that is not what the configuration says (DiffID)', async () => {
    const other = digestOf('something else');
    const image = await randomImage([1000], { diffIds: [other] });
    const registry = await startFakeRegistry(image);
    const paths = temporaryStore();
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toMatchObject({
      message: `layer ${image.layers[0]!.descriptor.digest} has the wrong DiffID: expected ${other}, got ${image.layers[0]!.diffId}`,
    });
    expectNoTrace(paths);
  });

  test('a failing layer leaves the whole ones below it for the next time', async () => {
    const image = await randomImage([1000, 2000, 3000]);
    const bad = image.layers[2]!.descriptor.digest;
    const registry = await startFakeRegistry(
      image,
      (request, response) =>
        request.url!.endsWith(bad) && handled(response.end('x'.repeat(image.layers[2]!.blob.length))),
    );
    const paths = temporaryStore();
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_MISMATCH',
    });
    registry.override = () => false;
    const { result, events } = testPull(paths, `${registry.host}/a`);
    await result;
    expect(statusesOf(events, 'exists')).toBe(2);
    expect(statusesOf(events, 'complete')).toBe(1);
  });
});

describe('connections that break', () => {
  test('after every few bytes: each attempt goes on where the last one stopped', async () => {
    const { registry, paths, layer, blob } = await setUp();
    const piece = Math.ceil(blob.length / 20);
    let sent = 0;
    registry.override = (request, response) => {
      if (!request.url!.endsWith(layer)) return false;
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const body = blob.subarray(start, start + piece);
      sent += body.length;
      const headers = {
        'content-length': blob.length - start,
        'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}`,
      };
      return cut(response, body, headers, request.headers.range ? 206 : 200);
    };
    const { result, events } = testPull(paths, `${registry.host}/a`);
    await result;
    expect(sent).toBeLessThanOrEqual(blob.length * 1.1);
    expect(events.filter((e) => e.type === 'retry').length).toBeGreaterThanOrEqual(19);
  });

  test('for good: the bytes are kept, and a later pull fetches only the rest', async () => {
    const { registry, paths, layer, blob } = await setUp();
    const half = Math.floor(blob.length / 2);
    registry.override = (request, response) => {
      if (!request.url!.endsWith(layer)) return false;
      return request.headers.range
        ? cut(response, Buffer.alloc(0), { 'content-length': 1 }, 503)
        : cut(response, blob.subarray(0, half), { 'content-length': blob.length });
    };
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toThrow();
    expectNoTrace(paths);
    expect(statSync(partialBlobPath(paths, layer)).size).toBe(half);
    registry.override = () => false;
    registry.sent = 0;
    await testPull(paths, `${registry.host}/a`).result;
    expect(registry.requests.at(-1)!.headers.range).toBe(`bytes=${half}-`);
    expect(registry.sent).toBe(blob.length - half);
  });

  test('a server that cannot resume sends everything again', async () => {
    const { registry, paths, layer, blob } = await setUp();
    let attempts = 0;
    registry.override = (request, response) => {
      if (!request.url!.endsWith(layer)) return false;
      if (++attempts === 1)
        return cut(response, blob.subarray(0, 100_000), { 'content-length': blob.length });
      response.writeHead(200, { 'content-length': blob.length }).end(blob);
      return true;
    };
    await testPull(paths, `${registry.host}/a`).result;
    expect(attempts).toBe(2);
  });

  test('kept bytes that are damaged are fetched anew', async () => {
    const { registry, paths, layer, blob } = await setUp();
    mkdirSync(blobsDirectory(paths), { recursive: true });
    writeFileSync(partialBlobPath(paths, layer), Buffer.alloc(1000));
    const { result, events } = testPull(paths, `${registry.host}/a`);
    await result;
    expect(events.filter((e) => e.type === 'warning').length).toBe(1);
    expect(statSync(blobPath(paths, layer)).size).toBe(blob.length);
  });

  test('a damaged blob of the store is fetched anew', async () => {
    const { registry, paths, layer, blob } = await setUp();
    mkdirSync(blobsDirectory(paths), { recursive: true });
    writeFileSync(blobPath(paths, layer), blob.subarray(0, 1000));
    const { result, events } = testPull(paths, `${registry.host}/a`);
    await result;
    expect(events.filter((e) => e.type === 'warning').length).toBe(1);
    expect(statSync(blobPath(paths, layer)).size).toBe(blob.length);
  });

  test('stopping keeps what has come', async () => {
    const { registry, paths, layer, blob } = await setUp();
    registry.override = (request, response) => {
      if (!request.url!.endsWith(layer)) return false;
      response.writeHead(200, { 'content-length': blob.length });
      response.write(blob.subarray(0, 1234));
      return true; // and no more
    };
    const stop = new AbortController();
    const { result } = testPull(paths, `${registry.host}/a`, {
      signal: stop.signal,
      onEvent: (e) => e.type === 'layer' && (e.current ?? 0) > 0 && stop.abort(),
    });
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
    expectNoTrace(paths);
    expect(statSync(partialBlobPath(paths, layer)).size).toBe(1234);
  });
});

describe('foreign layers', () => {
  test('come from their own addresses, without a login', async () => {
    const image = await randomImage([5000]);
    const elsewhere = await startFakeRegistry(image);
    const [layer] = image.layers;
    const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const urls = [
      'ftp://127.0.0.1/x',
      'http://127.0.0.1:1/gone',
      `${elsewhere.origin}/v2/x/blobs/${layer!.descriptor.digest}`,
    ];
    const layers = [{ ...layer!.descriptor, mediaType, urls }];
    const bytes = Buffer.from(JSON.stringify({ ...image.manifest, layers }));
    const registry = await startFakeRegistry(image, (request, response) => {
      const isManifest = request.url!.includes('manifests');
      return (
        isManifest && handled(response.writeHead(200, { 'content-type': image.manifestType }).end(bytes))
      );
    });
    await testPull(temporaryStore(), `${registry.host}/a`).result;
    expect(elsewhere.requests).toHaveLength(1);
    expect(registry.requests.some((r) => r.url.endsWith(layer!.descriptor.digest))).toBe(false);
  });
});

describe('answers that are refusals', () => {
  test('500, then all is well', async () => {
    const { registry, paths } = await setUp();
    let failures = 0;
    registry.override = (request, response) =>
      request.url !== '/v2/' &&
      request.method === 'GET' &&
      ++failures % 2 === 1 &&
      handled(response.writeHead(500).end('busy'));
    await testPull(paths, `${registry.host}/a`).result;
    expect(failures).toBeGreaterThan(3);
  });

  test('500 for ever: its words are the cause, without what would steer a terminal', async () => {
    const { registry, paths } = await setUp();
    registry.override = (_, response) =>
      handled(response.writeHead(500).end('{"errors":[{"code":"UNKNOWN","message":"disk\\u001b[2J full"}]}'));
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_RESPONSE',
      message: `registry ${registry.host} answered 500 Internal Server Error to GET /v2/a/manifests/latest`,
      cause: { message: '500 Internal Server Error: UNKNOWN: disk [2J full' },
    });
  });

  test('429: waits as told, and otherwise shows the limits', async () => {
    const { registry, paths } = await setUp();
    let asked = 0;
    registry.override = (request, response) =>
      request.url!.includes('manifests') &&
      ++asked === 1 &&
      handled(response.writeHead(429, { 'retry-after': '0' }).end());
    await testPull(paths, `${registry.host}/a`).result;
    expect(asked).toBe(2);
    registry.override = (_, response) => {
      response
        .writeHead(429, { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' })
        .end('toomanyrequests: slow down');
      return true;
    };
    await expect(testPull(paths, `${registry.host}/b`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_RATE_LIMIT',
      message: `registry ${registry.host} refuses more requests for now (ratelimit-limit: 100;w=21600, ratelimit-remaining: 0;w=21600)`,
      cause: { message: '429 Too Many Requests: toomanyrequests: slow down' },
    });
  });

  test('a manifest without end', async () => {
    const { registry, paths } = await setUp();
    registry.override = (request, response) => {
      if (!request.url!.includes('manifests')) return false;
      const endless = (): void => void response.write(Buffer.alloc(65536, 32), endless);
      endless();
      return true;
    };
    await expect(testPull(paths, `${registry.host}/a`).result).rejects.toThrow(/more than 4 MiB/);
  });

  test('nobody there', async () => {
    await expect(testPull(temporaryStore(), '127.0.0.1:1/a').result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_UNREACHABLE',
      message: 'cannot reach registry 127.0.0.1:1 at https://127.0.0.1:1',
      cause: { code: 'ECONNREFUSED' },
    });
  });
});

describe('documents', () => {
  const manifestAs = async (bytes: string | Buffer, type: string, headers: Record<string, string> = {}) => {
    const { registry, paths } = await setUp();
    registry.override = (request, response) => {
      if (!request.url!.includes('manifests')) return false;
      response.writeHead(200, { 'content-type': type, ...headers }).end(bytes);
      return true;
    };
    return testPull(paths, `${registry.host}/a`).result;
  };
  const OCI = 'application/vnd.oci.image.manifest.v1+json';
  const INDEX = 'application/vnd.oci.image.index.v1+json';

  test('an index served as a manifest, and the other way round', async () => {
    const { image } = await setUp();
    await expect(manifestAs(image.manifestBytes, INDEX)).rejects.toThrow(
      /served as .*index.* but calls itself .*manifest/,
    );
    const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] });
    await expect(manifestAs(index, OCI)).rejects.toThrow(/served as .*manifest.* but calls itself .*index/);
  });

  test('both at once', async () => {
    const { image } = await setUp();
    const both = JSON.stringify({ ...image.manifest, mediaType: undefined, manifests: [] });
    await expect(manifestAs(both, OCI)).rejects.toThrow(/fields of an index and of a manifest/);
  });

  test('schema 1', async () => {
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    await expect(manifestAs('{"schemaVersion":1}', type)).rejects.toMatchObject({
      code: 'ERR_TSRUN_SCHEMA1',
    });
  });

  test('an artifact that is no container image', async () => {
    const { image } = await setUp();
    const chart = {
      ...image.manifest,
      config: { ...image.manifest.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
    };
    await expect(manifestAs(JSON.stringify(chart), OCI)).rejects.toThrow(
      /is an artifact: its config has media type "application\/vnd.cncf.helm.config/,
    );
  });

  test('a manifest that is not the one that its server names, nor the one that was asked for', async () => {
    const { image, registry, paths } = await setUp();
    const digest = digestOf('other');
    await expect(manifestAs(image.manifestBytes, OCI, { 'docker-content-digest': digest })).rejects.toThrow(
      /wrong digest/,
    );
    await expect(testPull(paths, `${registry.host}/a@${digest}`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_MISMATCH',
      data: { expected: digest, got: image.manifestDigest },
    });
  });
});
