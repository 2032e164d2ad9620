/** A registry with one image, as much of one as a pull asks for: what the code caches are made with (code-cache.ts). */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

interface Index {
  manifests: { mediaType: string; digest: string }[];
}

/** Serves the image of an OCI layout that has one, under any name and tag. */
export async function serveLayout(layout: string): Promise<AsyncDisposable & { host: string }> {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as Index;
  const [manifest] = manifests;
  if (!manifest) throw new Error(`there is no image in ${layout}`);
  const server = createServer(({ url = '/' }, response) => {
    const [, kind, name = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    const digest = kind === 'blobs' ? name : manifest.digest;
    if (kind === 'manifests')
      response.setHeader('content-type', manifest.mediaType).setHeader('docker-content-digest', digest);
    response.end(kind === undefined ? '{}' : readFileSync(join(layout, 'blobs', ...digest.split(':'))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
