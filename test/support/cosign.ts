/** Signing as cosign does (its SIGNATURE_SPEC), with keys made here: a payload, its signature, and the manifest that holds both. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Digest } from '../../src/spec/image.ts';
import { digestOf, type ImageFixture } from './image-fixture.ts';
import { pushBlob, pushDocument } from './push-image.ts';

export interface SigningKey {
  privateKey: KeyObject;
  /** PEM */
  publicText: string;
}

export type KeyKind = 'p256' | 'p384' | 'rsa' | 'ed25519';

export function signingKey(kind: KeyKind = 'p256'): SigningKey {
  const { privateKey, publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kind === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: kind === 'p256' ? 'P-256' : 'P-384' });
  return { privateKey, publicText: publicKey.export({ format: 'pem', type: 'spki' }).toString() };
}

export interface SignedText {
  payload: string;
  /** base64 */
  signature: string;
  mediaType: string;
}

export const payloadOf = (digest: string, reference: string, more: object = {}): string =>
  JSON.stringify({
    critical: {
      identity: { 'docker-reference': reference },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
    ...more,
  });

export function signText({ privateKey }: SigningKey, payload: string): SignedText {
  const algorithm = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(algorithm, Buffer.from(payload), privateKey).toString('base64');
  return { payload, signature, mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' };
}

/** A manifest whose layers are the signatures. */
export function signatureImage(signatures: readonly SignedText[], more: object = {}): ImageFixture {
  const config = Buffer.from(
    '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}',
  );
  const layers = signatures.map(({ payload, signature, mediaType }) => ({
    mediaType,
    digest: digestOf(payload),
    size: Buffer.byteLength(payload),
    annotations: { 'dev.cosignproject.cosign/signature': signature },
  }));
  const manifest = {
    schemaVersion: 2 as const,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers,
    ...more,
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const blobs = new Map<Digest, Buffer>(
    signatures.map(({ payload }) => [digestOf(payload), Buffer.from(payload)]),
  );
  blobs.set(digestOf(config), config);
  return {
    blobs,
    manifest,
    manifestBytes,
    manifestDigest: digestOf(manifestBytes),
    manifestType: manifest.mediaType,
    config: {},
    layers: [],
  };
}

/** Puts signatures where cosign puts them. */
export async function pushSignatures(
  host: string,
  repository: string,
  digest: Digest,
  signatures: readonly SignedText[],
): Promise<void> {
  const image = signatureImage(signatures);
  for (const [blob, bytes] of image.blobs) await pushBlob(host, repository, blob, bytes);
  const tag = `${digest.replace(':', '-')}.sig`;
  await pushDocument(host, repository, tag, image.manifestType, image.manifestBytes);
}
