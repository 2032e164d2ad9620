/** undici as it is bundled, without the parts that tsrun has no use for, does what src/registry wants of it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { build } from 'esbuild';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { lazyBuiltins } from '../../src/setup/lazy-builtins.ts';
import { undiciParts } from '../../src/setup/undici-parts.ts';
import { temporaryDirectoryForTest } from '../support/temporary-store.ts';
import { makeCertificate } from '../support/test-certificate.ts';

type Undici = Pick<typeof import('undici'), 'Agent' | 'EnvHttpProxyAgent' | 'request'>;
let undici: Undici;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: ['undici'],
    plugins: [undiciParts, lazyBuiltins],
    bundle: true,
    platform: 'node',
    write: false,
  });
  const module = { exports: {} };
  const run = new Function('module', 'require', outputFiles[0]!.text);
  run(module, createRequire(import.meta.url));
  undici = module.exports as Undici;
});

async function listening(server: Server | ReturnType<typeof createSecureServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function textOf(url: string, dispatcher: InstanceType<Undici['Agent']>): Promise<string> {
  onTestFinished(() => dispatcher.destroy());
  const { statusCode, body } = await undici.request(new URL(url), {
    dispatcher,
    method: 'PUT',
    body: 'body',
    headers: { 'x-tsrun': 'header' },
  });
  return `${statusCode} ${await body.text()}`;
}

test('a request', async () => {
  const port = await listening(
    createServer(async (request, response) => {
      response.end(
        `${request.method} ${request.url} ${request.headers['x-tsrun']} ${await request.toArray()}`,
      );
    }),
  );
  const text = await textOf(`http://127.0.0.1:${port}/v2/?a=b`, new undici.Agent());
  expect(text).toBe('200 PUT /v2/?a=b header body');
});

test('an answer that is no HTTP', async () => {
  const server = createServer();
  server.on('connection', (socket: Socket) => socket.end('SSH-2.0-no\r\n\r\n'));
  const url = `http://127.0.0.1:${await listening(server)}/`;
  await expect(textOf(url, new undici.Agent())).rejects.toMatchObject({ name: 'HTTPParserError' });
});

test('HTTP/2, where the server wants it', async () => {
  const server = createSecureServer(makeCertificate(temporaryDirectoryForTest()), (request, response) =>
    response.end(`HTTP/${request.httpVersion}`),
  );
  const agent = new undici.Agent({ connect: { rejectUnauthorized: false }, allowH2: true });
  expect(await textOf(`https://127.0.0.1:${await listening(server)}/`, agent)).toBe('200 HTTP/2.0');
});

test('through a proxy', async () => {
  const port = await listening(createServer((_, response) => response.end('from behind')));
  const proxy = createServer();
  const asked: (string | undefined)[] = [];
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(request.url);
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const far = connect(port, '127.0.0.1');
    socket.pipe(far).pipe(socket);
    for (const end of [socket, far]) end.on('error', () => undefined);
  });
  const through = `http://127.0.0.1:${await listening(proxy)}`;
  const agent = new undici.EnvHttpProxyAgent({
    httpProxy: through,
    httpsProxy: through,
    noProxy: '',
    proxyTunnel: true,
  }) as unknown as InstanceType<Undici['Agent']>;
  expect(await textOf('http://registry.test/v2/', agent)).toBe('200 from behind');
  expect(asked).toEqual(['registry.test:80']);
});
