/**
 * Registries that mean harm, beside those that are merely broken (integration/registry-hostile.test.ts): each has one trick. Whatever it
 * is, the pull ends with an error that names it, the store has no image and no layer of it, and no login went where it does not belong.
 */
import { existsSync, readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { PullOptions } from '../../src/image/pull/pull-image.ts';
import { ImageStore } from '../../src/store/images.ts';
import { layersDirectory, type StorePaths } from '../../src/store/paths.ts';
import { type FakeRegistry, handled, startFakeRegistry } from '../support/fake-registry.ts';
import { challenge, isLayer, isManifest, LOGIN, OCI_MANIFEST } from '../support/hostile-registry.ts';
import { digestOf, type ImageFixture, randomImage } from '../support/image-fixture.ts';
import { testPull } from '../support/pull-harness.ts';
import { temporaryStore } from '../support/temporary-store.ts';

const BASIC = Buffer.from('me:swordfish').toString('base64');
const INDEX = 'application/vnd.oci.image.index.v1+json';
/** For servers that are never done. Others are given time: on a busy machine they need it. */
const IMPATIENT = { patience: { connectMs: 20_000, silenceMs: 300, documentMs: 600 } };

type Trick = (
  request: IncomingMessage,
  response: ServerResponse,
  image: ImageFixture,
  registry: FakeRegistry,
) => boolean | undefined;

/** What went wrong, with all its causes and its hint, as a user may ever see it. */
function everything(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    texts.push(at.message, JSON.stringify(at), at.stack ?? '');
  }
  return texts.join('\n');
}

function expectNoTrace(paths: StorePaths): void {
  expect(existsSync(layersDirectory(paths)) ? readdirSync(layersDirectory(paths)) : []).toEqual([]);
  expect(new ImageStore(paths).list()).toEqual([]);
}

/** Pulls from a registry on this machine that plays the trick; it must fail as expected. */
async function expectRefused(trick: Trick, expected: RegExp, more: Partial<PullOptions> = {}): Promise<void> {
  const image = await randomImage([100_000]);
  const registry = await startFakeRegistry(image);
  registry.override = (request, response) => trick(request, response, image, registry);
  const paths = temporaryStore();
  const { result } = testPull(paths, `${registry.host}/team/app`, {
    credentials: LOGIN,
    ...more,
  });
  const error = await result.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(everything(error)).toMatch(expected);
  expect(everything(error)).not.toContain(LOGIN.password);
  expect(everything(error)).not.toContain(BASIC);
  expectNoTrace(paths);
}

/** Serves this document instead of the manifest. */
const manifest =
  (make: (image: ImageFixture) => unknown, type = OCI_MANIFEST): Trick =>
  (request, response, image) => {
    if (!isManifest(request)) return false;
    const made = make(image);
    const bytes = typeof made === 'string' ? made : JSON.stringify(made);
    return handled(response.writeHead(200, { 'content-type': type }).end(bytes));
  };

/** Bytes one by one, for ever. */
function drip(response: ServerResponse, status: number, headers: Record<string, string | number> = {}): true {
  response.writeHead(status, headers);
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
  return true;
}

describe('documents', () => {
  test.each<[string, RegExp, Trick]>([
    ['a page for people', /media type|not valid|text\/html/, manifest(() => '<html>', 'text/html')],
    ['no JSON', /not valid/, manifest(() => '{"schemaVersion":2,')],
    [
      'nested ten thousand deep',
      /not valid|schemaVersion|fields/,
      manifest(() => `${'['.repeat(10_000)}${']'.repeat(10_000)}`),
    ],
    ['null', /not valid/, manifest(() => 'null')],
    [
      'a digest that is a path',
      /digest/,
      manifest(({ manifest: good }) => ({
        ...good,
        layers: [{ ...good.layers[0], digest: `sha256:../../../../${'a'.repeat(52)}` }],
      })),
    ],
    [
      'a digest of another kind',
      /digest/,
      manifest(({ manifest: good }) => ({
        ...good,
        config: { ...good.config, digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' },
      })),
    ],
    [
      'a negative size',
      /size/,
      manifest(({ manifest: good }) => ({ ...good, layers: [{ ...good.layers[0], size: -1 }] })),
    ],
    [
      'a size beyond all numbers',
      /size/,
      manifest(({ manifest: good }) => ({ ...good, layers: [{ ...good.layers[0], size: 1e300 }] })),
    ],
    [
      'a configuration of a gigabyte',
      /more than 8 MiB/,
      manifest(({ manifest: good }) => ({ ...good, config: { ...good.config, size: 1 << 30 } })),
    ],
    [
      'more layers than the configuration has',
      /2 layers, its config 1/,
      manifest(({ manifest: good }) => ({ ...good, layers: [good.layers[0], good.layers[0]] })),
    ],
    [
      'an index of nothing',
      /not valid|has no image|no image for|it has/,
      manifest(() => ({ schemaVersion: 2, mediaType: INDEX, manifests: [] }), INDEX),
    ],
    [
      'a manifest that is served as an index',
      /calls itself/,
      manifest(({ manifestBytes }) => manifestBytes.toString(), INDEX),
    ],
    [
      'another digest than it says',
      /wrong digest/,
      (request, response, image) =>
        isManifest(request) &&
        handled(
          response
            .writeHead(200, { 'content-type': OCI_MANIFEST, 'docker-content-digest': digestOf('x') })
            .end(request.method === 'HEAD' ? undefined : image.manifestBytes),
        ),
    ],
  ])('%s', async (_, expected, trick) => {
    await expectRefused(trick, expected);
  });

  test('indexes that lead to indexes', async () => {
    const chain: string[] = [];
    let inner = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] });
    for (let i = 0; i < 6; i++) {
      chain.push(inner);
      const entry = {
        mediaType: INDEX,
        digest: digestOf(inner),
        size: inner.length,
        platform: { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' },
      };
      inner = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] });
    }
    const byDigest = new Map(chain.map((text) => [digestOf(text) as string, text]));
    await expectRefused((request, response) => {
      if (!isManifest(request)) return false;
      const text = byDigest.get(request.url!.slice(request.url!.lastIndexOf('/') + 1)) ?? inner;
      return handled(response.writeHead(200, { 'content-type': INDEX }).end(text));
    }, /more than 3 levels deep/);
  });
});

describe('bodies', () => {
  test.each<[string, RegExp, Trick, Partial<PullOptions>?]>([
    ['headers that never come', /headers timeout/i, (request) => isManifest(request), IMPATIENT],
    [
      'headers of a megabyte',
      /headers overflow/i,
      (request, response) =>
        isManifest(request) && handled(response.writeHead(200, { 'x-much': 'x'.repeat(1 << 20) }).end()),
    ],
    [
      'a manifest byte by byte, without end',
      /was not complete after/,
      (request, response) => isManifest(request) && drip(response, 200, { 'content-type': OCI_MANIFEST }),
      IMPATIENT,
    ],
    [
      'a layer byte by byte',
      /no more than \d+ bytes came/,
      (request, response, image) =>
        isLayer(request, image) && drip(response, 200, { 'content-length': image.layers[0]!.blob.length }),
      IMPATIENT,
    ],
    [
      'a layer that stops in the middle, and stays connected',
      /body timeout/i,
      (request, response, image) => {
        if (!isLayer(request, image)) return false;
        response.writeHead(200, { 'content-length': image.layers[0]!.blob.length });
        return handled(response.write('x'));
      },
      IMPATIENT,
    ],
    [
      'a layer of another length',
      /wrong size/,
      (request, response, image) =>
        isLayer(request, image) && handled(response.writeHead(200, { 'content-length': 1 }).end('x')),
    ],
    [
      'a layer without a length and without end',
      /wrong size/,
      (request, response, image) => {
        if (!isLayer(request, image)) return false;
        const more = (): void => void response.write(Buffer.alloc(65_536), more);
        more();
        return true;
      },
    ],
    [
      'a compressed layer that is compressed once more on the way',
      /wrong (?:size|digest)/,
      (request, response, image) =>
        isLayer(request, image) &&
        handled(
          response
            .writeHead(200, { 'content-encoding': 'gzip' })
            .end(Buffer.alloc(image.layers[0]!.blob.length)),
        ),
    ],
    [
      'a part of the layer that nobody asked for',
      /answered 206/,
      (request, response, image) =>
        isLayer(request, image) &&
        handled(response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('12345')),
    ],
    [
      'an empty success for the layer',
      /wrong size/,
      (request, response, image) =>
        isLayer(request, image) && handled(response.writeHead(200, { 'content-length': 0 }).end()),
    ],
    [
      'a range that cannot be met, of nothing',
      /wrong size|connection ended/,
      (request, response, image) =>
        isLayer(request, image) && handled(response.writeHead(416, { 'content-range': 'bytes */3' }).end()),
    ],
    [
      'a refusal as long as one listens',
      /500 Internal Server Error/,
      (request, response) => {
        if (!isManifest(request)) return false;
        response.writeHead(500);
        const more = (): void => void response.write(Buffer.alloc(65_536, 'x'), more);
        more();
        return true;
      },
    ],
    [
      'a wait of thirty years',
      /refuses more requests/,
      (request, response) =>
        isManifest(request) && handled(response.writeHead(429, { 'retry-after': '999999999' }).end()),
    ],
    [
      'no HTTP at all',
      /cannot reach registry/,
      (request) => {
        if (!isManifest(request)) return false;
        request.socket.end('SSH-2.0-OpenSSH_9.2\r\n');
        return true;
      },
    ],
  ])('%s', async (_, expected, trick, more) => {
    await expectRefused(trick, expected, more);
  });
});

describe('tokens', () => {
  const withToken =
    (answer: (response: ServerResponse, request: IncomingMessage) => true): Trick =>
    (request, response, _image, registry) => {
      if (request.url!.startsWith('/token')) return answer(response, request);
      return request.url!.startsWith('/v2/team')
        ? challenge(response, `Bearer realm="${registry.origin}/token",service="x"`)
        : false;
    };

  test.each<[string, RegExp, Trick, Partial<PullOptions>?]>([
    [
      'that never please',
      /does not let this login read/,
      withToken((response) => handled(response.end(`{"token":"t${Math.random()}"}`))),
    ],
    [
      'that end a header and begin another',
      /holds no token/,
      withToken((response) => handled(response.end(JSON.stringify({ token: 'a\r\nX-Evil: 1' })))),
    ],
    [
      'of a megabyte',
      /holds no token/,
      withToken((response) => handled(response.end(JSON.stringify({ token: 'x'.repeat(2 << 20) })))),
    ],
    [
      'without end',
      /was not complete after|holds no token/,
      withToken((response) => drip(response, 200)),
      IMPATIENT,
    ],
    ['that are numbers', /holds no token/, withToken((response) => handled(response.end('{"token":7}')))],
    [
      'from a file',
      /token server that is not used: "file:/,
      (request, response) => isManifest(request) && challenge(response, 'Bearer realm="file:///etc/passwd"'),
    ],
    [
      'from nowhere',
      /token server that is not used/,
      (request, response) => isManifest(request) && challenge(response, 'Bearer realm="//"'),
    ],
    [
      'wanted in words without end',
      /without a login|this login/,
      (request, response) => isManifest(request) && challenge(response, `Bearer ${',a="'.repeat(3000)}`),
    ],
  ])('%s', async (_, expected, trick, more) => {
    await expectRefused(trick, expected, more);
  });

  test('the token server sends the login elsewhere: it does not go', async () => {
    const elsewhere = await startFakeRegistry(await randomImage([1]), (_request, response) =>
      handled(response.end('{"token":"t"}')),
    );
    await expectRefused(
      withToken((response) =>
        handled(response.writeHead(307, { location: `${elsewhere.origin}/token` }).end()),
      ),
      /does not let this login read/,
    );
    expect(elsewhere.requests.length).toBeGreaterThan(0);
    expect(elsewhere.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});
