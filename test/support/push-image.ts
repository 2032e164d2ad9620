/** Pushing fixtures to a registry, by its own API. */
import type { Digest } from '../../src/spec/image.ts';
import type { ImageFixture } from './image-fixture.ts';

async function expectStatus(response: Response, status: number): Promise<Response> {
  if (response.status !== status) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

export async function pushBlob(
  host: string,
  repository: string,
  digest: Digest,
  bytes: Buffer,
): Promise<void> {
  const start = await expectStatus(
    await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' }),
    202,
  );
  const location = new URL(start.headers.get('location')!, `http://${host}`);
  location.searchParams.set('digest', digest);
  await expectStatus(await fetch(location, { method: 'PUT', body: new Uint8Array(bytes) }), 201);
}

export async function pushDocument(
  host: string,
  repository: string,
  tag: string,
  type: string,
  bytes: Buffer,
): Promise<void> {
  const url = `http://${host}/v2/${repository}/manifests/${tag}`;
  const headers = { 'content-type': type };
  await expectStatus(await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) }), 201);
}

/** Pushes an image under a tag (or its digest). */
export async function pushImage(
  host: string,
  repository: string,
  tag: string,
  image: ImageFixture,
): Promise<void> {
  for (const [digest, bytes] of image.blobs) await pushBlob(host, repository, digest, bytes);
  await pushDocument(host, repository, tag, image.manifestType, image.manifestBytes);
}
