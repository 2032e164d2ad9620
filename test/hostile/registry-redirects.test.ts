/** Registries that send us, or our login, where we do not want to go: by redirects, by addresses of layers, by places for uploads. */
import { describe, expect, test } from 'vitest';
import { pushImage } from '../../src/image/push/push-image.ts';
import { parseReference } from '../../src/spec/reference.ts';
import { handled, startFakeRegistry } from '../support/fake-registry.ts';
import { startFakeUploadRegistry } from '../support/fake-upload-registry.ts';
import { FAR_HOST, startFarRegistry } from '../support/far-registry.ts';
import { challenge, isLayer, isManifest, LOGIN, OCI_MANIFEST } from '../support/hostile-registry.ts';
import { digestOf, randomImage } from '../support/image-fixture.ts';
import { testPull } from '../support/pull-harness.ts';
import { temporaryStore } from '../support/temporary-store.ts';

describe('redirects', () => {
  test('away and back again: the login is not given to what the other host has chosen', async () => {
    const image = await randomImage([1000]);
    const registry = await startFakeRegistry(image);
    const other = await startFakeRegistry(image, (_request, response) =>
      handled(response.writeHead(307, { location: `${registry.origin}/v2/secret/delete-everything` }).end()),
    );
    registry.override = (request, response) => {
      if (request.url!.includes('delete-everything')) return handled(response.end('{}'));
      if (request.headers.authorization === undefined && request.url !== '/v2/')
        return challenge(response, 'Basic realm="x"');
      return isManifest(request)
        ? handled(response.writeHead(307, { location: `${other.origin}${request.url}` }).end())
        : false;
    };
    await expect(
      testPull(temporaryStore(), `${registry.host}/team/app`, { credentials: LOGIN }).result,
    ).rejects.toThrow();
    const chosen = registry.requests.filter(({ url }) => url.includes('delete-everything'));
    expect(chosen.length).toBeGreaterThan(0);
    expect(
      [...chosen, ...other.requests].filter(({ headers }) => headers.authorization !== undefined),
    ).toEqual([]);
  });

  test.each([
    ['this machine', (port: string) => `https://127.0.0.1:${port}/latest`],
    ['this machine by name', (port: string) => `https://localhost:${port}/latest`],
    ['this machine, spelled otherwise', (port: string) => `https://2130706433:${port}/latest`],
    ['this machine by IPv6', (port: string) => `https://[::ffff:127.0.0.1]:${port}/latest`],
    ['any address', (port: string) => `https://0.0.0.0:${port}/latest`],
    ["the cloud's own data", () => 'https://169.254.169.254/latest/meta-data'],
    ['the link by IPv6', () => 'https://[fe80::1]/latest'],
  ])('from afar to %s', async (_, target) => {
    const canary = await startFakeRegistry(await randomImage([1]));
    const { port } = new URL(canary.origin);
    const far = await startFarRegistry(await randomImage([1000]), (request, response) =>
      isManifest(request) ? handled(response.writeHead(307, { location: target(port) }).end()) : false,
    );
    const { environment } = far;
    const { result } = testPull(temporaryStore(), `${FAR_HOST}/team/app`, {
      environment,
      credentials: LOGIN,
    });
    await expect(result).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/^redirect to an address of this machine/) },
    });
    expect(canary.requests).toEqual([]);
    expect(new Set(far.tunnels)).toEqual(new Set([`${FAR_HOST}:443`]));
  });

  test('from afar to a token server on this machine', async () => {
    const canary = await startFakeRegistry(await randomImage([1]));
    const realm = canary.origin.replace('http:', 'https:');
    const far = await startFarRegistry(await randomImage([1000]), (request, response) =>
      isManifest(request) ? challenge(response, `Bearer realm="${realm}/token"`) : false,
    );
    const { environment } = far;
    await expect(
      testPull(temporaryStore(), `${FAR_HOST}/team/app`, { environment, credentials: LOGIN }).result,
    ).rejects.toThrow(/token server that is not used/);
    expect(canary.requests).toEqual([]);
  });

  test('a layer that says it is on this machine', async () => {
    const image = await randomImage([1000]);
    const canary = await startFakeRegistry(image);
    const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const layers = [{ ...image.manifest.layers[0], mediaType, urls: [`${canary.origin}/v2/x/blobs/y`] }];
    const bytes = JSON.stringify({ ...image.manifest, layers });
    const far = await startFarRegistry(image, (request, response) => {
      if (isManifest(request))
        return handled(response.writeHead(200, { 'content-type': OCI_MANIFEST }).end(bytes));
      return isLayer(request, image) ? handled(response.writeHead(404).end()) : false;
    });
    const { environment } = far;
    await expect(
      testPull(temporaryStore(), `${FAR_HOST}/team/app`, { environment }).result,
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('one of this machine') } });
    expect(canary.requests).toEqual([]);
  });
});

describe('pushing', () => {
  /** Pushes a small image to a registry that wants a login and answers POST with this Location. */
  async function pushTo(location: (host: string) => string) {
    const image = await randomImage([1000]);
    const source = await startFakeRegistry(image);
    const paths = temporaryStore();
    const { record } = await testPull(paths, `${source.host}/team/app`).result;
    const registry = await startFakeUploadRegistry();
    registry.override = (request, response) => {
      if (request.url === '/v2/') return false;
      if (request.headers.authorization === undefined) return challenge(response, 'Basic realm="x"');
      return (
        request.method === 'POST' &&
        handled(response.writeHead(202, { location: location(registry.host) }).end())
      );
    };
    const pushing = pushImage({
      paths,
      record,
      destination: parseReference(`${registry.host}/a`),
      credentials: LOGIN,
      environment: { HOME: '/nonexistent' },
      retry: { attempts: 2, firstDelayMs: 1, longestDelayMs: 1 },
    });
    return { pushing, registry };
  }

  test('an upload that is sent to another host goes there without the login', async () => {
    const elsewhere = await startFakeUploadRegistry();
    elsewhere.override = (request, response) => {
      request.resume();
      return handled(response.writeHead(201).end());
    };
    const { pushing, registry } = await pushTo(() => `http://${elsewhere.host}/v2/a/blobs/uploads/1`);
    await pushing;
    expect(elsewhere.requests).toHaveLength(2);
    expect(elsewhere.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    expect(registry.manifests.size).toBe(1);
  });

  test.each([
    ['a file', () => 'file:///etc/passwd'],
    ['nowhere', () => 'http://[/'],
  ])('an upload that is sent to %s', async (_, location) => {
    const { pushing } = await pushTo(location);
    await expect(pushing).rejects.toMatchObject({ code: 'ERR_TSRUN_REGISTRY_RESPONSE' });
  });

  test('a registry that says it has got something else', async () => {
    const { pushing, registry } = await pushTo((host) => `http://${host}/v2/a/blobs/uploads/1`);
    const { override } = registry;
    registry.override = (request, response) => {
      if (request.method !== 'PUT') return override(request, response);
      request.resume();
      return handled(response.writeHead(201, { 'docker-content-digest': digestOf('other') }).end());
    };
    await expect(pushing).rejects.toMatchObject({ code: 'ERR_TSRUN_MISMATCH' });
    expect(registry.manifests.size).toBe(0);
  });
});
