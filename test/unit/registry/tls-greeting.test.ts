/** The greeting that tells TLS from plain http, said to real servers of both. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { onTestFinished, test } from 'vitest';
import { speaksTls } from '../../../src/registry/tls-greeting.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';
import { makeCertificate } from '../../support/test-certificate.ts';

const PATIENCE_MS = 30_000;

async function urlOf(server: Server): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`https://127.0.0.1:${(server.address() as { port: number }).port}/`);
}

const answering = (answer: (socket: Socket) => void): Promise<URL> => urlOf(createServer(answer));

test.for<[string, TlsOptions]>([
  ['TLS 1.3', { minVersion: 'TLSv1.3' }],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ['TLS with a cipher of its own', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
])('%s', async ([, options], { expect }) => {
  const server = createTlsServer({ ...makeCertificate(temporaryDirectoryForTest()), ...options });
  expect(await speaksTls(await urlOf(server), PATIENCE_MS)).toBe(true);
});

test('a server of plain http', async ({ expect }) => {
  const url = await urlOf(createHttpServer((_, response) => response.end('{}')));
  expect(await speaksTls(url, PATIENCE_MS)).toBe(false);
});

test('a server that answers only what has a line in it', async ({ expect }) => {
  const url = await answering((socket) =>
    socket.on('data', (bytes) => bytes.includes(0x0a) && socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  expect(await speaksTls(url, PATIENCE_MS)).toBe(false);
});

test.for<[string, (socket: Socket) => void]>([
  ['hangs up', (socket) => socket.end()],
  ['resets the connection', (socket) => socket.once('data', () => socket.resetAndDestroy())],
])('a server that %s', async ([, answer], { expect }) => {
  expect(await speaksTls(await answering(answer), PATIENCE_MS)).toBe(false);
});

test('a server that says nothing is given up', async ({ expect }) => {
  const url = await answering((socket) => socket.resume());
  await expect(speaksTls(url, 50)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
});

test('nobody there', async ({ expect }) => {
  await expect(speaksTls(new URL('https://127.0.0.1:1/'), PATIENCE_MS)).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
});

test('ends when it is aborted', async ({ expect }) => {
  const stop = new AbortController();
  const url = await answering(() => stop.abort(new Error('enough')));
  await expect(speaksTls(url, PATIENCE_MS, stop.signal)).rejects.toThrow('enough');
});
