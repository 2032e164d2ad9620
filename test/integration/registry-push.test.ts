/** Pushing to a real registry: the same digests, no byte twice, whatever breaks on the way. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PullEvent } from '../../src/image/pull/events.ts';
import { type PushOptions, pushImage } from '../../src/image/push/push-image.ts';
import { DEFAULT_RETRY } from '../../src/registry/retry.ts';
import { parseReference } from '../../src/spec/reference.ts';
import type { ImageRecord } from '../../src/store/image-record.ts';
import { blobPath, type StorePaths } from '../../src/store/paths.ts';
import { startFakeUploadRegistry } from '../support/fake-upload-registry.ts';
import { type ImageFixture, randomImage } from '../support/image-fixture.ts';
import { statusesOf, testPull } from '../support/pull-harness.ts';
import { pushImage as putFixture } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { temporaryDirectoryForTest, temporaryStore } from '../support/temporary-store.ts';

let source: Registry;
let target: Registry;
let image: ImageFixture;
/** More than what goes into one request. */
const LARGE = 3_000_000;

beforeAll(async () => {
  [source, target] = await Promise.all([startRegistry(), startRegistry()]);
  image = await randomImage([LARGE, 1000, 2000]);
  await putFixture(source.host, 'team/app', 'v1', image);
});
afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

async function pulled(): Promise<{ paths: StorePaths; record: ImageRecord }> {
  const paths = temporaryStore();
  const { record } = await testPull(paths, `${source.host}/team/app:v1`).result;
  return { paths, record };
}

async function push(
  paths: StorePaths,
  record: ImageRecord,
  destination: string,
  more: Partial<PushOptions> = {},
): Promise<{ digest: string; events: PullEvent[] }> {
  const events: PullEvent[] = [];
  const digest = await pushImage({
    paths,
    record,
    destination: parseReference(destination),
    environment: { HOME: '/nonexistent' },
    retry: { attempts: DEFAULT_RETRY.attempts, firstDelayMs: 1, longestDelayMs: 5 },
    onEvent: (event) => events.push(event),
    ...more,
  });
  return { digest, events };
}

const rawManifest = (reference: string): Buffer =>
  execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`]);

interface Meddler {
  host: string;
  requests: { method: string; url: string; bytes: number }[];
}

/** Stands before `target`: `meddle` may answer, or cut, a request instead of passing it on. */
async function startMeddler(
  meddle: (request: IncomingMessage, cutAfter: (bytes: number) => void) => number | undefined,
): Promise<Meddler> {
  const meddler: Meddler = { host: '', requests: [] };
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const seen = { method, url, bytes: 0 };
    meddler.requests.push(seen);
    let limit = Number.POSITIVE_INFINITY;
    const status = meddle(request, (bytes) => {
      limit = bytes;
    });
    if (status !== undefined) {
      request.resume();
      request.once('end', () => response.writeHead(status).end());
      return;
    }
    const upstream = httpRequest(
      `http://${target.host}${url}`,
      { method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    upstream.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.length;
      upstream.write(chunk);
      if (seen.bytes < limit) return;
      upstream.destroy();
      request.socket.destroy();
    });
    request.on('end', () => upstream.end());
    request.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  meddler.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return meddler;
}

describe('what was pulled', () => {
  test('is pushed with the same digests, byte for byte', async () => {
    const { paths, record } = await pulled();
    const { digest, events } = await push(paths, record, `${target.host}/copy/app:v1`);
    expect(digest).toBe(image.manifestDigest);
    expect(rawManifest(`${target.host}/copy/app:v1`)).toEqual(Buffer.from(image.manifestBytes));
    expect(statusesOf(events, 'pushed')).toBe(4);
    expect(events.at(-1)).toMatchObject({ type: 'pushed', digest: image.manifestDigest });
    const copy = join(temporaryDirectoryForTest(), 'copy');
    execFileSync('skopeo', [
      'copy',
      '--insecure-policy',
      '--src-tls-verify=false',
      `docker://${target.host}/copy/app:v1`,
      `dir:${copy}`,
    ]);
    const [, layer] = image.layers;
    expect(readdirSync(copy)).toContain(layer!.descriptor.digest.slice('sha256:'.length));
  });

  test('is not sent a second time, nor to another repository of the registry', async () => {
    const { paths, record } = await pulled();
    const name = `${target.host}/once/app:v1`;
    await push(paths, record, name);
    const again = await push(paths, record, name);
    expect(statusesOf(again.events, 'present')).toBe(4);
    await testPull(paths, name).result;
    const mounted = await push(paths, record, `${target.host}/twice/app:v1`);
    expect(statusesOf(mounted.events, 'mounted')).toBe(4);
    expect(statusesOf(mounted.events, 'pushed')).toBe(0);
    expect(rawManifest(`${target.host}/twice/app:v1`)).toEqual(Buffer.from(image.manifestBytes));
  });

  test('is found by digest as well', async () => {
    const { paths, record } = await pulled();
    await push(paths, record, `${target.host}/by/digest@${image.manifestDigest}`);
    await testPull(temporaryStore(), `${target.host}/by/digest@${image.manifestDigest}`).result;
  });

  test('needs none of the blobs that the registry has', async () => {
    const { paths, record } = await pulled();
    await push(paths, record, `${target.host}/lost/app:v1`);
    rmSync(blobPath(paths, image.layers[0]!.descriptor.digest));
    await push(paths, record, `${target.host}/lost/app:v2`);
    await expect(
      push(paths, record, `${target.host.replace('127.0.0.1', 'localhost')}/fresh/app:v1`),
    ).rejects.toMatchObject({
      code: 'ERR_TSRUN_STORE',
      hint: `tsrun pull ${record.reference}`,
    });
  });
});

test('a blob of the store that is damaged is named, not what the registry says of it', async () => {
  const { paths, record } = await pulled();
  const { digest } = image.layers[1]!.descriptor;
  const path = blobPath(paths, digest);
  const bytes = readFileSync(path);
  bytes[20]! ^= 1;
  writeFileSync(path, bytes);
  await expect(
    push(paths, record, `${target.host.replace('127.0.0.1', 'localhost')}/damaged/app`),
  ).rejects.toMatchObject({
    code: 'ERR_TSRUN_STORE',
    message: expect.stringContaining(`blob ${digest}`),
  });
});

describe('when the way breaks', () => {
  test('an upload goes on where it was cut', async () => {
    const one = await randomImage([LARGE]);
    await putFixture(source.host, 'one', 'latest', one);
    const paths = temporaryStore();
    const { record } = await testPull(paths, `${source.host}/one`).result;
    const registry = await startFakeUploadRegistry();
    registry.cutAfter = 400_000;
    const { events } = await push(paths, record, `${registry.host}/a`);
    expect(events.filter((event) => event.type === 'retry').length).toBeGreaterThanOrEqual(7);
    const [layer] = one.layers;
    expect(registry.blobs.get(layer!.descriptor.digest)).toEqual(Buffer.from(layer!.blob));
    const sizes = [...registry.blobs.values()].reduce((sum, blob) => sum + blob.length, 0);
    expect(registry.received).toBeLessThanOrEqual(sizes);
    expect([...registry.manifests.values()]).toEqual([Buffer.from(one.manifestBytes)]);
  });

  // Twice it is cut by us, and then the registry itself may refuse to go on (404 BLOB_UPLOAD_INVALID): it told how far it was while it
  // was still writing what the cut connection had brought.
  test('an upload that cannot go on begins anew', async () => {
    const { paths, record } = await pulled();
    let cuts = 0;
    const meddler = await startMeddler((request, cutAfter) => {
      if (request.method === 'PATCH' && cuts++ < 2) cutAfter(700_000);
      return undefined;
    });
    const { events } = await push(paths, record, `${meddler.host}/cut/app:v1`);
    expect(events.filter((event) => event.type === 'retry').length).toBeGreaterThanOrEqual(2);
    await testPull(temporaryStore(), `${target.host}/cut/app:v1`).result;
  });

  test('what is too much for a proxy goes in pieces', async () => {
    const large = await randomImage([20_000_000], { compression: 'none' });
    await putFixture(source.host, 'large', 'latest', large);
    const paths = temporaryStore();
    const { record } = await testPull(paths, `${source.host}/large`).result;
    const meddler = await startMeddler((request) =>
      Number(request.headers['content-length']) > 10_000_000 ? 413 : undefined,
    );
    await push(paths, record, `${meddler.host}/large/app`);
    expect(meddler.requests.filter(({ method }) => method === 'PATCH').length).toBeGreaterThanOrEqual(3);
    await testPull(temporaryStore(), `${target.host}/large/app`).result;
  });

  test('a busy registry is asked again', async () => {
    const { paths, record } = await pulled();
    let asked = 0;
    const meddler = await startMeddler(() => (++asked % 3 === 0 ? 503 : undefined));
    await push(paths, record, `${meddler.host}/busy/app:v1`, {
      retry: { attempts: 8, firstDelayMs: 1, longestDelayMs: 2 },
    });
    await testPull(temporaryStore(), `${target.host}/busy/app:v1`).result;
  });

  test('a session that the registry has lost is begun anew', async () => {
    const { paths, record } = await pulled();
    let losses = 0;
    const meddler = await startMeddler((request) =>
      request.method === 'PATCH' && losses++ === 0 ? 404 : undefined,
    );
    await push(paths, record, `${meddler.host}/lost-session/app:v1`);
    expect(losses).toBeGreaterThan(1);
    await testPull(temporaryStore(), `${target.host}/lost-session/app:v1`).result;
  });

  test('nothing that calls itself an image is left by a push that was stopped', async () => {
    const { paths, record } = await pulled();
    const stop = new AbortController();
    const meddler = await startMeddler(() => undefined);
    const pushing = push(paths, record, `${meddler.host}/stopped/app:v1`, {
      signal: stop.signal,
      onEvent: (event) => event.type === 'layer' && event.status === 'pushing' && stop.abort(),
    });
    await expect(pushing).rejects.toMatchObject({ name: 'AbortError' });
    expect(meddler.requests.filter(({ url }) => url.includes('/manifests/'))).toEqual([]);
  });
});

test('a registry that wants tokens gets one for what is pushed, and for what is mounted', async () => {
  const credentials = { user: 'me', password: 'secret' };
  const registry = await startRegistry({ credentials, tokens: true });
  onTestFinished(() => registry[Symbol.asyncDispose]());
  const { paths, record } = await pulled();
  const login = { credentials: { username: 'me', password: 'secret' } };
  await expect(push(paths, record, `${registry.host}/private/app:v1`)).rejects.toMatchObject({
    code: 'ERR_TSRUN_REGISTRY_DENIED',
    message: `registry ${registry.host} does not let anyone without a login write to private/app`,
  });
  await push(paths, record, `${registry.host}/private/app:v1`, login);
  await testPull(paths, `${registry.host}/private/app:v1`, login).result;
  const mounted = await push(paths, record, `${registry.host}/public/app:v1`, login);
  expect(statusesOf(mounted.events, 'mounted')).toBe(4);
  await testPull(temporaryStore(), `${registry.host}/public/app:v1`).result;
  // What is written to comes first, whatever order of resources and actions the registry's challenge has (docker-registry's is random).
  const asked = new Set(registry.tokenServer!.asked.map(({ scopes }) => scopes.join(' ')));
  expect([...asked].filter((scopes) => scopes.includes(':public/app:pull,push'))).toEqual([
    'repository:public/app:pull,push',
    'repository:public/app:pull,push repository:private/app:pull',
  ]);
});
