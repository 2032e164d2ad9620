/** Logins, tokens, redirects, certificates, proxies. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type FakeRegistry, handled, type Override, startFakeRegistry } from '../support/fake-registry.ts';
import { FAR_HOST, startFarRegistry } from '../support/far-registry.ts';
import { type ImageFixture, randomImage } from '../support/image-fixture.ts';
import { testPull } from '../support/pull-harness.ts';
import { temporaryDirectoryForTest, temporaryStore } from '../support/temporary-store.ts';
import { makeCertificate } from '../support/test-certificate.ts';
import { startTunnel } from '../support/tunnel.ts';

/** A SOCKS proxy (RFC 1928) that leads to `port` of this machine, whatever name it is asked for. */
async function startSocks(port: number): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createTcpServer((client) => {
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', (wanted: Buffer) => {
        asked.push(wanted.toString('latin1', 5, 5 + (wanted[4] ?? 0)));
        const onward = connect(port, '127.0.0.1', () => {
          client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          onward.pipe(client).pipe(onward);
        });
        for (const socket of [client, onward]) socket.on('error', () => onward.destroy());
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, asked };
}

const basic = (login: string): string => `Basic ${Buffer.from(login).toString('base64')}`;

interface TokenSetUp {
  registry: FakeRegistry;
  /** Requests to the token server. */
  asked: { url: URL; authorization: string | undefined; body: string }[];
  /** The token that is good now. */
  state: { token: string };
}

/** A registry that wants a bearer token from its own /token, where `login` (if given) is wanted. */
async function setUpTokens(image: ImageFixture, login?: string): Promise<TokenSetUp> {
  const asked: TokenSetUp['asked'] = [];
  const state = { token: 'good' };
  const answerToken = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await request.toArray()).join('');
    const { authorization } = request.headers;
    asked.push({ url: new URL(request.url!, 'http://x'), authorization, body });
    if (login !== undefined && authorization !== basic(login))
      response.writeHead(401).end('{"details":"bad login"}');
    else response.end(JSON.stringify({ token: state.token, expires_in: 300 }));
  };
  const override: Override = (request, response) => {
    if (request.url!.startsWith('/token')) void answerToken(request, response);
    else if (request.headers.authorization === `Bearer ${state.token}` || request.url === '/v2/')
      return false;
    else {
      const challenge = `Bearer realm="${registry.origin}/token",service="fake, inc",scope="repository:team/app:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    }
    return true;
  };
  const registry = await startFakeRegistry(image, override);
  return { registry, asked, state };
}

describe('bearer tokens', () => {
  test('one for all requests of a repository', async () => {
    const { registry, asked } = await setUpTokens(await randomImage([1000, 1000, 1000]));
    await testPull(temporaryStore(), `${registry.host}/team/app`).result;
    expect(asked).toHaveLength(1);
    expect(asked[0]!.url.search).toBe('?service=fake%2C+inc&scope=repository%3Ateam%2Fapp%3Apull');
    expect(asked[0]!.authorization).toBeUndefined();
  });

  test('a new one when it ends in the middle', async () => {
    const image = await randomImage([1000, 1000]);
    const { registry, asked, state } = await setUpTokens(image);
    const { override } = registry;
    const config = image.manifest.config.digest;
    registry.override = (request, response) => {
      if (request.url!.endsWith(config)) state.token = 'newer';
      return override(request, response);
    };
    await testPull(temporaryStore(), `${registry.host}/team/app`).result;
    expect(asked).toHaveLength(2);
  });

  test('the login goes to the token server, and to nobody else', async () => {
    const { registry, asked } = await setUpTokens(await randomImage([1000]), 'me:secret');
    const credentials = { username: 'me', password: 'secret' };
    await testPull(temporaryStore(), `${registry.host}/team/app`, { credentials }).result;
    expect(asked[0]!.authorization).toBe(basic('me:secret'));
    const others = registry.requests.filter((r) => !r.url.startsWith('/token'));
    expect(others.filter((r) => r.headers.authorization?.startsWith('Basic'))).toEqual([]);
  });

  test('an identity token is exchanged', async () => {
    const { registry, asked } = await setUpTokens(await randomImage([1000]));
    await testPull(temporaryStore(), `${registry.host}/team/app`, { credentials: { identityToken: 'id' } })
      .result;
    expect(Object.fromEntries(new URLSearchParams(asked[0]!.body))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'id',
      service: 'fake, inc',
    });
  });

  test('a wrong login', async () => {
    const { registry } = await setUpTokens(await randomImage([1000]), 'me:secret');
    const credentials = { username: 'me', password: 'wrong' };
    const { result } = testPull(temporaryStore(), `${registry.host}/team/app`, { credentials });
    const error = await result.catch((e: Error) => e);
    expect(error).toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_DENIED',
      message: `registry ${registry.host} does not let this login read team/app`,
      hint: `tsrun login ${registry.host}   # logins of podman and docker are read, too`,
      cause: { message: '401 Unauthorized: bad login' },
    });
    expect(JSON.stringify(error)).not.toContain('wrong');
  });

  test('a registry that is never content is asked a few times only', async () => {
    const { registry } = await setUpTokens(await randomImage([1000]));
    const { override } = registry;
    registry.override = (request, response) => {
      if (request.url!.startsWith('/v2/team')) delete request.headers.authorization;
      return override(request, response);
    };
    await expect(testPull(temporaryStore(), `${registry.host}/team/app`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_DENIED',
      message: expect.stringContaining('without a login, or has no such repository'),
    });
    expect(registry.requests.length).toBeLessThan(8);
  });
});

describe('basic logins from files', () => {
  const needsBasic = async (): Promise<FakeRegistry> =>
    startFakeRegistry(await randomImage([1000]), (request, response) => {
      if (request.headers.authorization === basic('me:secret')) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="fake"' }).end();
      return true;
    });

  test('auth.json', async () => {
    const registry = await needsBasic();
    const home = temporaryDirectoryForTest();
    mkdirSync(join(home, '.config', 'containers'), { recursive: true });
    const auths = { [registry.host]: { auth: Buffer.from('me:secret').toString('base64') } };
    writeFileSync(join(home, '.config', 'containers', 'auth.json'), JSON.stringify({ auths }));
    await testPull(temporaryStore(), `${registry.host}/a`, { environment: { HOME: home } }).result;
  });

  test('a credential helper', async () => {
    const registry = await needsBasic();
    const home = temporaryDirectoryForTest();
    const helper = join(home, 'docker-credential-fake');
    const answer = '{"ServerURL":"x","Username":"me","Secret":"secret"}';
    writeFileSync(
      helper,
      `#!/bin/sh\nread url; [ "$1 $url" = "get ${registry.host}" ] && echo '${answer}'\n`,
    );
    chmodSync(helper, 0o755);
    mkdirSync(join(home, '.docker'));
    writeFileSync(join(home, '.docker', 'config.json'), '{"credsStore":"fake"}');
    const path = process.env.PATH;
    process.env.PATH = `${home}:${path}`;
    onTestFinished(() => {
      process.env.PATH = path;
    });
    await testPull(temporaryStore(), `${registry.host}/a`, { environment: { HOME: home } }).result;
  });

  test('none: says so', async () => {
    const registry = await needsBasic();
    await expect(testPull(temporaryStore(), `${registry.host}/a`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_DENIED',
      data: { withCredentials: false },
    });
  });
});

describe('redirects', () => {
  test('take no login to another host', async () => {
    const image = await randomImage([1000]);
    const cdn = await startFakeRegistry(image);
    const { registry } = await setUpTokens(image);
    const { override } = registry;
    registry.override = (request, response) => {
      const isBlob = request.headers.authorization !== undefined && request.url!.includes('/blobs/');
      if (!isBlob) return override(request, response);
      response.writeHead(307, { location: `${cdn.origin}${request.url}` }).end();
      return true;
    };
    await testPull(temporaryStore(), `${registry.host}/team/app`).result;
    expect(cdn.requests).toHaveLength(2);
    expect(cdn.requests.filter((r) => r.headers.authorization !== undefined)).toEqual([]);
  });

  test.each([
    ['in a circle', (origin: string) => `${origin}/v2/a/manifests/latest`, /more than 5 redirects/],
    ['to another protocol', () => 'file:///etc/passwd', /redirect to file:/],
  ])('%s', async (_, location, problem) => {
    const registry = await startFakeRegistry(await randomImage([1]));
    registry.override = (request, response) =>
      request.url!.includes('manifests') &&
      handled(response.writeHead(302, { location: location(registry.origin) }).end());
    await expect(testPull(temporaryStore(), `${registry.host}/a`).result).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_UNREACHABLE',
      cause: { message: expect.stringMatching(problem) },
    });
  });
});

describe('TLS', () => {
  const setUpTls = async (): Promise<{
    registry: FakeRegistry;
    environment: NodeJS.ProcessEnv;
    trust: (host: string) => void;
  }> => {
    const directory = temporaryDirectoryForTest();
    const certificate = makeCertificate(directory);
    const registry = await startFakeRegistry(await randomImage([1000]), () => false, certificate);
    const trust = (host: string): void => {
      const certs = join(directory, 'containers', 'certs.d', host);
      mkdirSync(certs, { recursive: true });
      writeFileSync(join(certs, 'ca.crt'), certificate.cert);
    };
    return { registry, environment: { HOME: directory, XDG_CONFIG_HOME: directory }, trust };
  };

  test('a certificate that nobody vouches for is refused, and its remedy works', async () => {
    const { registry, environment, trust } = await setUpTls();
    await expect(
      testPull(temporaryStore(), `${registry.host}/a`, { environment }).result,
    ).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRY_UNREACHABLE',
      hint: `put the registry's CA certificate into ${environment.HOME}/containers/certs.d/${registry.host}/ca.crt`,
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    trust(registry.host);
    await testPull(temporaryStore(), `${registry.host}/a`, { environment }).result;
  });

  test('no redirect leads down to plain http', async () => {
    const { registry, environment, trust } = await setUpTls();
    trust(registry.host);
    registry.override = (request, response) =>
      request.url!.includes('blobs') &&
      handled(response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end());
    await expect(
      testPull(temporaryStore(), `${registry.host}/a`, { environment }).result,
    ).rejects.toMatchObject({
      cause: { message: 'redirect from https to plain http (127.0.0.1:1)' },
    });
  });

  test('through a proxy', async () => {
    const { registry, environment, trust } = await setUpTls();
    trust('registry.test');
    const { https_proxy, tunnels } = await startTunnel(registry.origin);
    await testPull(temporaryStore(), 'registry.test/a/b', { environment: { ...environment, https_proxy } })
      .result;
    expect(new Set(tunnels)).toEqual(new Set(['registry.test:443']));
  });
});

describe('proxies', () => {
  test('that for http is none for https: undici takes it, podman and curl do not', async () => {
    const { environment, tunnels } = await startFarRegistry(await randomImage([1000]));
    const { https_proxy: http_proxy, ...others } = environment;
    await expect(
      testPull(temporaryStore(), `${FAR_HOST}/a/b`, { environment: { ...others, http_proxy } }).result,
    ).rejects.toMatchObject({ code: 'ERR_TSRUN_REGISTRY_UNREACHABLE', cause: { code: 'ENOTFOUND' } });
    expect(tunnels).toEqual([]);
  });

  test('no_proxy names what is reached without one', async () => {
    const { environment, tunnels } = await startFarRegistry(await randomImage([1000]));
    const direct = { ...environment, no_proxy: 'example.com,.test' };
    await expect(
      testPull(temporaryStore(), `${FAR_HOST}/a/b`, { environment: direct }).result,
    ).rejects.toMatchObject({ code: 'ERR_TSRUN_REGISTRY_UNREACHABLE', cause: { code: 'ENOTFOUND' } });
    expect(tunnels).toEqual([]);
    const other = { ...environment, NO_PROXY: 'example.com' };
    await testPull(temporaryStore(), `${FAR_HOST}/a/b`, { environment: other }).result;
    expect(tunnels.length).toBeGreaterThan(0);
  });

  // curl, podman and docker take both; ours said "Invalid URL", and printed Node's warning that SOCKS is experimental.
  test('are written without a scheme, too, and may speak SOCKS', async () => {
    const { registry, environment, tunnels } = await startFarRegistry(await randomImage([1000]));
    const https_proxy = environment.https_proxy?.replace('http://', '');
    expect(https_proxy).toMatch(/^127\.0\.0\.1:\d+$/);
    await testPull(temporaryStore(), `${FAR_HOST}/a/b`, { environment: { ...environment, https_proxy } })
      .result;
    expect(new Set(tunnels)).toEqual(new Set([`${FAR_HOST}:443`]));
    for (const scheme of ['socks5', 'socks5h']) {
      const { address, asked } = await startSocks(Number(new URL(registry.origin).port));
      await testPull(temporaryStore(), `${FAR_HOST}/a/b`, {
        environment: { ...environment, https_proxy: `${scheme}://${address}` },
      }).result;
      expect(new Set(asked)).toEqual(new Set([FAR_HOST]));
    }
  });

  // Ours looked for https first, as everybody does, without any proxy; that the name cannot be looked up here was the end of it.
  test('that for http alone leads to a registry that may be plain', async () => {
    const registry = await startFakeRegistry(await randomImage([1000]));
    const { https_proxy: http_proxy, tunnels } = await startTunnel(registry.origin);
    for (const host of ['registry.invalid', 'registry.invalid:5000']) {
      await testPull(temporaryStore(), `${host}/a/b:1`, {
        environment: { HOME: '/nonexistent', http_proxy },
        tlsVerify: false,
      }).result;
      expect(tunnels[0]).toBe(`http://${host}/v2/a/b/manifests/1`);
      tunnels.length = 0;
    }
  });

  test('for https that leads to no port of TLS is not the end of a registry that may be plain', async () => {
    const registry = await startFakeRegistry(await randomImage([1000]));
    const { https_proxy: http_proxy, tunnels } = await startTunnel(registry.origin);
    const refusing = createServer().on('connect', (_request, client) => {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    refusing.listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    onTestFinished(() => void refusing.close());
    const https_proxy = `http://127.0.0.1:${(refusing.address() as { port: number }).port}`;
    const environment = { HOME: '/nonexistent', http_proxy, https_proxy };
    await testPull(temporaryStore(), 'registry.invalid/a/b:1', { environment, tlsVerify: false }).result;
    expect(tunnels[0]).toBe('http://registry.invalid/v2/a/b/manifests/1');
    await expect(
      testPull(temporaryStore(), 'registry.invalid/a/b:1', { environment }).result,
      'and of one that may not, it is',
    ).rejects.toMatchObject({ code: 'ERR_TSRUN_REGISTRY_UNREACHABLE' });
  });

  test("a proxy's own password is used, and in no message", async () => {
    const { environment } = await startFarRegistry(await randomImage([1000]));
    const seen: (string | undefined)[] = [];
    const proxy = createServer().on('connect', (request, client) => {
      seen.push(request.headers['proxy-authorization']);
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    const https_proxy = `http://user:swordfish@127.0.0.1:${(proxy.address() as { port: number }).port}`;
    const error: unknown = await testPull(temporaryStore(), `${FAR_HOST}/a/b`, {
      environment: { ...environment, https_proxy },
    }).result.catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'ERR_TSRUN_REGISTRY_UNREACHABLE' });
    expect(seen[0]).toBe(basic('user:swordfish'));
    expect(inspect(error, { depth: 10 })).not.toContain('swordfish');
  });
});

describe('certificates', () => {
  test('a client shows its own to the registry, and to nobody whom this leads to', async () => {
    const directory = temporaryDirectoryForTest();
    const { key, cert } = makeCertificate(directory);
    const image = await randomImage([1000]);
    const cdn = await startFakeRegistry(image, () => false, { key, cert });
    const registry = await startFakeRegistry(
      image,
      (request, response) =>
        request.url!.includes('/blobs/') &&
        handled(response.writeHead(307, { location: `${cdn.origin}${request.url}` }).end()),
      { key, cert, ca: cert, requestCert: true, rejectUnauthorized: true },
    );
    const shown: boolean[] = [];
    cdn.server.on('secureConnection', (socket: TLSSocket) =>
      shown.push(Object.keys(socket.getPeerCertificate()).length > 0),
    );
    const without = temporaryDirectoryForTest();
    writeFileSync(join(without, 'ca.crt'), cert);
    await expect(
      testPull(temporaryStore(), `${registry.host}/a`, { certificateDirectory: without }).result,
    ).rejects.toMatchObject({ code: 'ERR_TSRUN_REGISTRY_UNREACHABLE' });
    const complete = temporaryDirectoryForTest();
    writeFileSync(join(complete, 'ca.crt'), cert);
    writeFileSync(join(complete, 'client.cert'), cert);
    writeFileSync(join(complete, 'client.key'), key);
    await testPull(temporaryStore(), `${registry.host}/a`, { certificateDirectory: complete }).result;
    expect(shown.length).toBeGreaterThan(0);
    expect(shown).not.toContain(true);
  });

  test.each([
    ['a key without its certificate', { 'x.key': '' }, /x\.key has no x\.cert beside it/],
    ['what is no certificate', { 'ca.crt': 'hello', 'x.cert': 'a', 'x.key': 'b' }, /no certificate or key/],
  ])('%s', async (_, files, expected) => {
    const certificateDirectory = temporaryDirectoryForTest();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(certificateDirectory, name), text);
    const certificate = makeCertificate(temporaryDirectoryForTest());
    const registry = await startFakeRegistry(await randomImage([10]), () => false, certificate);
    await expect(
      testPull(temporaryStore(), `${registry.host}/a`, { certificateDirectory }).result,
    ).rejects.toMatchObject({ code: 'ERR_TSRUN_CERTIFICATES', message: expect.stringMatching(expected) });
  });
});
