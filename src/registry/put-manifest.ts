/** The last step of a push (distribution-spec "Pushing Manifests"): the document that makes an image of blobs. */
import { tsrunError } from '../errors.ts';
import { digestAlgorithm } from '../spec/digest.ts';
import type { Digest } from '../spec/image.ts';
import { digestOf } from '../store/hash.ts';
import { claimedDigest, manifestPath, type RegistryClient } from './client.ts';
import { pushScope } from './scope.ts';

export interface ManifestToPut {
  repository: string;
  /** A tag or a digest. */
  reference: string;
  mediaType: string;
  bytes: Uint8Array;
  digest: Digest;
}

/** Throws ERR_TSRUN_REGISTRY_…, ERR_TSRUN_MISMATCH when the registry has got something else. */
export async function putManifest(client: RegistryClient, manifest: ManifestToPut): Promise<void> {
  const { repository, reference, mediaType, bytes, digest } = manifest;
  const path = manifestPath(repository, reference);
  await client.retrying(async () => {
    const headers = { 'content-type': mediaType };
    const call = { method: 'PUT' as const, url: await client.url(path), headers, body: bytes };
    const response = await client.send(call, repository, [pushScope(repository)]);
    if (response.status !== 201) throw await client.failure(response, repository, `PUT ${path}`, true);
    await response.body.dump();
    const got = claimedDigest(response);
    // Registries say it by sha256, whatever the reference is.
    if (got === undefined || got === digestOf(bytes, digestAlgorithm(got))) return;
    const what = `the manifest of ${client.registry}/${repository}:${reference}`;
    throw tsrunError('ERR_TSRUN_MISMATCH', { what, property: 'digest', expected: digest, got });
  });
}
