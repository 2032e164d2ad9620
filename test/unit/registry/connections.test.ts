/** Each document of an image was asked for on a connection of its own, and so was its configuration: with TLS, two more round trips each. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openClient } from '../../../src/registry/access.ts';
import type { Descriptor } from '../../../src/spec/image.ts';
import { sha256 } from '../../../src/store/hash.ts';

let server: Server;
let connections: Set<unknown>;

beforeEach(async () => {
  connections = new Set();
  server = createServer((request, response) => {
    connections.add(request.socket);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('what is asked for after a document comes over the same connection', async () => {
  const client = openClient(`127.0.0.1:${(server.address() as AddressInfo).port}`, { environment: {} });
  try {
    await client.document('app', 'index');
    await client.document('app', 'manifest');
    const config: Descriptor = { mediaType: 'application/json', digest: sha256('{}'), size: 2 };
    const body = await client.blob('app', config, 0);
    for await (const chunk of body.chunks) expect(Buffer.from(chunk).toString()).toBe('{}');
  } finally {
    await client.close();
  }
  expect(connections.size).toBe(1);
});
