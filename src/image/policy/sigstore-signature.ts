/**
 * One signature in the format of cosign (its SIGNATURE_SPEC): a small JSON text that says which manifest it is about and what it is called,
 * and a signature of that text in base64. The text is looked at only after the signature has turned out to be good.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Digest } from '../../spec/image.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from '../../spec/strict-json.ts';

export const SIGNATURE_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
const PAYLOAD_TYPE = 'cosign container image signature';

/** As it was found, not to be trusted in anything. */
export interface FoundSignature {
  mediaType: string;
  payload: Uint8Array;
  annotations: Readonly<Record<string, string>>;
}

/** What a good signature says. */
export interface SignedClaim {
  manifestDigest: string;
  /** docker-reference: the name that the image was signed under */
  identity: string;
}

const PUBLIC_KEY = /-----BEGIN (RSA )?PUBLIC KEY-----\s[\s\S]*?-----END (?:RSA )?PUBLIC KEY-----/;

/** The first public key of a PEM text: for ECDSA, RSA or Ed25519. Throws Error, saying what is wrong. Never takes a private key. */
export function parsePublicKey(text: string): KeyObject {
  const found = PUBLIC_KEY.exec(text);
  if (found === null) throw new Error('there is no PEM public key in it');
  const key = createPublicKey({
    key: found[0],
    format: 'pem',
    type: found[1] === undefined ? 'spki' : 'pkcs1',
  });
  if (!['ec', 'rsa', 'ed25519'].includes(key.asymmetricKeyType ?? ''))
    throw new Error(`its key is of type ${key.asymmetricKeyType}, and not ECDSA, RSA or Ed25519`);
  return key;
}

/** ECDSA in DER and RSA PKCS#1 1.5 over SHA-256; Ed25519 over the text itself. */
const isSignedBy = (key: KeyObject, payload: Uint8Array, signature: Buffer): boolean =>
  verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', payload, key, signature);

/**
 * What the signature says, if one of the keys has made it. Throws Error with the reason when it cannot be read or is no one's.
 * @param keys at least one
 */
export function verifySignature(found: FoundSignature, keys: readonly KeyObject[]): SignedClaim {
  const text = found.annotations[SIGNATURE_ANNOTATION];
  if (typeof text !== 'string') throw new Error(`it has no ${SIGNATURE_ANNOTATION}`);
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw new Error('its signature is not base64');
  const signature = Buffer.from(text, 'base64');
  if (!keys.some((key) => isSignedBy(key, found.payload, signature)))
    throw new Error('it was not made by the key, or what it signs was changed');
  return readClaim(Buffer.from(found.payload).toString('utf8'));
}

/** The fields that must be there, and no others: what is critical and not understood must not be accepted. */
function exactly(json: Json | undefined, fields: readonly string[], place: string): JsonObject {
  if (!isJsonObject(json)) throw new Error(`its ${place} is not an object`);
  const keys = Object.keys(json);
  if (keys.length !== fields.length || !fields.every((field) => keys.includes(field)))
    throw new Error(`its ${place} has not exactly the fields ${fields.join(', ')}`);
  return json;
}

function readClaim(text: string): SignedClaim {
  const payload = exactly(parseStrictJson(text), ['critical', 'optional'], 'payload');
  checkOptional(payload.optional);
  const critical = exactly(payload.critical, ['type', 'image', 'identity'], 'critical part');
  if (critical.type !== PAYLOAD_TYPE)
    throw new Error(`it is a ${JSON.stringify(critical.type)}, and no ${PAYLOAD_TYPE}`);
  const image = exactly(critical.image, ['docker-manifest-digest'], 'image');
  const identity = exactly(critical.identity, ['docker-reference'], 'identity');
  const digest = image['docker-manifest-digest'];
  const name = identity['docker-reference'];
  if (typeof digest !== 'string' || typeof name !== 'string')
    throw new Error('its digest or its reference is no text');
  return { manifestDigest: digest, identity: name };
}

/** cosign writes null when it has nothing to say. */
function checkOptional(optional: Json | undefined): void {
  if (optional === null) return;
  if (!isJsonObject(optional)) throw new Error('its optional part is not an object');
  const { creator, timestamp } = optional;
  if (creator !== undefined && typeof creator !== 'string') throw new Error('its creator is no text');
  if (timestamp !== undefined && !Number.isInteger(timestamp))
    throw new Error('its timestamp is no whole number');
}

/** Whether the claim is about this very manifest. */
export const isAbout = (claim: SignedClaim, manifestDigest: Digest): boolean =>
  claim.manifestDigest === manifestDigest;
