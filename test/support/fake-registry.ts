/** A registry that serves images from memory, and misbehaves as the test tells it to. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { onTestFinished } from 'vitest';
import type { ImageFixture } from './image-fixture.ts';

/** Handles a request, or leaves it to the well-behaved part by returning false. */
export type Override = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

/** For overrides in one expression: whatever was sent, the request is answered. */
export const handled = (_sent: unknown): true => true;

export interface FakeRegistry {
  host: string;
  origin: string;
  /** All requests, in their order. */
  requests: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  override: Override;
  server: Server;
  /** Blob bytes sent. */
  sent: number;
}

function serveBlob(
  registry: FakeRegistry,
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
): void {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const start = range === null ? 0 : Number(range[1]);
  const body = bytes.subarray(start);
  const headers: Record<string, string | number> = { 'content-length': body.length };
  if (range !== null) headers['content-range'] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  registry.sent += body.length;
  response.writeHead(range === null ? 200 : 206, headers).end(body);
}

/** Serves `image` as any repository's every tag. */
function serve(
  registry: FakeRegistry,
  image: ImageFixture,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = request.url ?? '';
  const blob = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(url)?.[1];
  const bytes = [...image.blobs].find(([digest]) => digest === blob)?.[1];
  if (url === '/v2/') response.end('{}');
  else if (url.includes('/tags/list')) response.end(JSON.stringify({ tags: ['latest'] }));
  else if (bytes !== undefined) serveBlob(registry, request, response, bytes);
  else if (url.includes('/manifests/')) {
    response.writeHead(200, {
      'content-type': image.manifestType,
      'docker-content-digest': image.manifestDigest,
    });
    response.end(request.method === 'HEAD' ? undefined : image.manifestBytes);
  } else response.writeHead(404).end('{"errors":[{"code":"BLOB_UNKNOWN","message":"no"}]}');
}

/** Starts it on a loopback port, until the test ends. */
export async function startFakeRegistry(
  image: ImageFixture,
  override: Override = () => false,
  tls?: { key: string; cert: string; ca?: string; requestCert?: boolean; rejectUnauthorized?: boolean },
): Promise<FakeRegistry> {
  const listener: RequestListener = (request, response) => {
    const { method = '', url = '', headers } = request;
    registry.requests.push({ method, url, headers });
    if (registry.override(request, response) !== true) serve(registry, image, request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  const registry: FakeRegistry = { host: '', origin: '', requests: [], override, server, sent: 0 };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  registry.host = `127.0.0.1:${port}`;
  registry.origin = `http${tls === undefined ? '' : 's'}://${registry.host}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return registry;
}
