/**
 * The signatures that a registry keeps beside an image: layers of the manifest that is tagged `sha256-<digest of the image>.sig` (cosign's
 * SIGNATURE_SPEC), and of the manifests that refer to the image with cosign's artifact type (distribution-spec, referrers).
 */

import { TsrunError, tsrunError } from '../../errors.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { listReferrers } from '../../registry/referrers.ts';
import { readRegistriesD, usesAttachments } from '../../registry/registries-d.ts';
import { parseDocument } from '../../spec/document.ts';
import type { Descriptor, Digest } from '../../spec/image.ts';
import type { Reference } from '../../spec/reference.ts';
import { checkBytes } from '../pull/fetch-documents.ts';
import type { FoundSignatures } from './admit-image.ts';
import { dockerScopes } from './scopes.ts';
import { type FoundSignature, SIGNATURE_TYPE } from './sigstore-signature.ts';

const PAYLOAD_LIMIT_BYTES = 4 << 20;
/** More are nobody's intention, and each costs a request. */
const MOST_SIGNATURES = 128;
const ARTIFACT_TYPE = 'application/vnd.dev.cosign.artifact.sig.v1+json';

/** The tag that signatures of a manifest have. */
export const signatureTag = (digest: Digest): string => `${digest.replace(':', '-')}.sig`;

const NOT_THERE = new Set<string>(['ERR_TSRUN_TAG_UNKNOWN', 'ERR_TSRUN_REPOSITORY_UNKNOWN']);

/** Layers of a document of signatures; none when it is not there. */
async function layersOf(client: RegistryClient, repository: string, name: string): Promise<Descriptor[]> {
  const what = `the signatures ${repository}:${name}`;
  try {
    const { bytes, contentType } = await client.document(repository, name);
    const document = parseDocument(bytes.toString('utf8'), contentType, what);
    return document.kind === 'manifest' ? document.manifest.layers : [];
  } catch (error) {
    if (error instanceof TsrunError && NOT_THERE.has(error.code)) return [];
    throw error;
  }
}

async function fetchPayload(
  client: RegistryClient,
  repository: string,
  layer: Descriptor,
): Promise<Uint8Array> {
  const what = `signature ${layer.digest}`;
  if (layer.size > PAYLOAD_LIMIT_BYTES)
    throw tsrunError('ERR_TSRUN_DOCUMENT', { what, problem: `it has ${layer.size} bytes` });
  return await client.retrying(async () => {
    const { chunks } = await client.blob(repository, layer, 0);
    const parts: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of chunks) {
      received += chunk.length;
      if (received > layer.size) break;
      parts.push(chunk);
    }
    const bytes = Buffer.concat(parts);
    checkBytes(what, layer.digest, layer.size, bytes);
    return bytes;
  });
}

/** All signatures of `digest` at the place that the image was found at. Throws what asking the registry throws. */
export async function registrySignatures(
  client: RegistryClient,
  place: Reference,
  digest: Digest,
  access: RegistryAccess,
): Promise<FoundSignatures> {
  const { repository } = place;
  const conf = await readRegistriesD(access.environment ?? process.env);
  if (!usesAttachments(conf, dockerScopes(place))) {
    const whyNone = `${conf.directory}/*.yaml does not say use-sigstore-attachments: true for ${place.registry}`;
    return { signatures: [], whyNone };
  }
  const layers = await layersOf(client, repository, signatureTag(digest));
  for (const { digest: manifest } of await listReferrers(client, repository, digest, ARTIFACT_TYPE))
    layers.push(...(await layersOf(client, repository, manifest)));
  const wanted = layers.filter(({ mediaType }) => mediaType === SIGNATURE_TYPE).slice(0, MOST_SIGNATURES);
  const signatures: FoundSignature[] = [];
  for (const layer of wanted) {
    const { mediaType, annotations = {} } = layer;
    signatures.push({ mediaType, annotations, payload: await fetchPayload(client, repository, layer) });
  }
  return { signatures };
}
