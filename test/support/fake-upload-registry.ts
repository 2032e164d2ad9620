/**
 * A registry in memory that blobs and manifests can be put into, and which misbehaves as the test tells it to. Unlike Debian's
 * docker-registry, it keeps what has come of an upload that was cut, as the distribution specification has it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { digestOf } from './image-fixture.ts';

export interface FakeUploadRegistry {
  host: string;
  blobs: Map<string, Buffer>;
  manifests: Map<string, Buffer>;
  requests: { method: string; url: string; authorization: string | undefined }[];
  /** Bytes of blobs that have arrived. */
  received: number;
  /** Answers instead of the well-behaved part, by returning true. */
  override: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Breaks the connection of an upload's request after so many bytes of it. */
  cutAfter: number;
}

export async function startFakeUploadRegistry(): Promise<FakeUploadRegistry> {
  const sessions: Buffer[] = [];
  const append = (request: IncomingMessage, id: number, done: () => void): void => {
    let here = 0;
    request.on('data', (chunk: Buffer) => {
      const taken = chunk.subarray(0, Math.max(0, registry.cutAfter - here));
      sessions[id] = Buffer.concat([sessions[id]!, taken]);
      registry.received += taken.length;
      here += chunk.length;
      if (here >= registry.cutAfter) request.socket.destroy();
    });
    request.on('end', done);
    request.on('error', () => undefined);
  };
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url = '' } = request;
    const id = Number(/\/uploads\/(\d+)/.exec(url)?.[1] ?? sessions.length);
    const location = `/v2/a/blobs/uploads/${id}`;
    const range = (): string => `0-${Math.max(0, (sessions[id]?.length ?? 0) - 1)}`;
    const answer = (status: number, headers: Record<string, string> = {}): void =>
      void response.writeHead(status, headers).end();
    if (url === '/v2/') answer(200);
    else if (method === 'HEAD') answer(registry.blobs.has(url.slice(url.lastIndexOf('/') + 1)) ? 200 : 404);
    else if (method === 'POST') {
      sessions.push(Buffer.alloc(0));
      answer(202, { location });
    } else if (method === 'GET') answer(204, { location, range: range() });
    else if (url.includes('/manifests/')) {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        registry.manifests.set(url, Buffer.concat(chunks));
        answer(201);
      });
    } else if (method === 'PATCH') append(request, id, () => answer(202, { location, range: range() }));
    else {
      append(request, id, () => {
        const session = sessions[id]!;
        const digest = digestOf(session);
        const isRight = new URL(url, 'http://x').searchParams.get('digest') === digest;
        if (isRight) registry.blobs.set(digest, session);
        answer(isRight ? 201 : 400, isRight ? { 'docker-content-digest': digest } : {});
      });
    }
  };
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    registry.requests.push({ method, url, authorization: headers.authorization });
    if (!registry.override(request, response)) serve(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const registry: FakeUploadRegistry = {
    host: `127.0.0.1:${(server.address() as { port: number }).port}`,
    blobs: new Map(),
    manifests: new Map(),
    requests: [],
    received: 0,
    override: () => false,
    cutAfter: Number.POSITIVE_INFINITY,
  };
  return registry;
}
