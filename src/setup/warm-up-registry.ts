/** A registry with one image of one layer, as much of one as a pull asks for: what the code caches are made with (code-cache.ts). */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Descriptor, Digest, Index, Manifest } from '../spec/image.ts';

interface Layout {
  manifest: Descriptor;
  layer: { path: string; size: number };
}

const blobOf = (layout: string, digest: Digest): string => join(layout, 'blobs', ...digest.split(':'));
const parse = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** The image of an OCI layout that has one. */
export function readLayout(layout: string): Layout {
  const [manifest] = (parse(join(layout, 'index.json')) as Index).manifests;
  const [layer] = manifest ? (parse(blobOf(layout, manifest.digest)) as Manifest).layers : [];
  if (!manifest || !layer) throw new Error(`there is no image in ${layout}`);
  return { manifest, layer: { path: blobOf(layout, layer.digest), size: layer.size } };
}

/** Serves the image under any name and tag. */
export async function serveLayout(layout: string): Promise<AsyncDisposable & { host: string }> {
  const { manifest } = readLayout(layout);
  const server = createServer(({ url = '/' }, response) => {
    const [, kind, name = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    const digest = kind === 'blobs' ? (name as Digest) : manifest.digest;
    if (kind === 'manifests')
      response.setHeader('content-type', manifest.mediaType).setHeader('docker-content-digest', digest);
    response.end(kind === undefined ? '{}' : readFileSync(blobOf(layout, digest)));
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
