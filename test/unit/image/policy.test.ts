/** policy.json and signatures without a registry: what is read, what is refused, what matches. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { admission, type ImagePlace } from '../../../src/image/policy/admit-image.ts';
import { parsePolicy } from '../../../src/image/policy/policy-document.ts';
import { dockerScopes, scopesOf } from '../../../src/image/policy/scopes.ts';
import { matchesIdentity, parseIdentityRule } from '../../../src/image/policy/signed-identity.ts';
import { parsePublicKey, verifySignature } from '../../../src/image/policy/sigstore-signature.ts';
import type { Digest } from '../../../src/spec/image.ts';
import { parseReference } from '../../../src/spec/reference.ts';
import { type Json, parseStrictJson } from '../../../src/spec/strict-json.ts';
import { type KeyKind, payloadOf, type SignedText, signingKey, signText } from '../../support/cosign.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}` as Digest;
const ACCEPT = { type: 'insecureAcceptAnything' };
const REJECT = { type: 'reject' };

describe('strict JSON', () => {
  test.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', true],
    ['{"a":1,"a":1}', false],
    ['{"x":[{"a":1,"b":2,"a":3}]}', false],
    ['{"a":"{\\"a\\":1}","b":"a"}', true],
    ['{"\\u0061":1,"a":2}', false],
    ['{"__proto__":{"a":1},"__proto__":{}}', false],
    ['{"a":1}{', false],
    ['', false],
  ])('%s', (text, isGood) => {
    if (isGood) expect(JSON.stringify(parseStrictJson(text))).toBe(text);
    else expect(() => parseStrictJson(text)).toThrow(SyntaxError);
  });

  test('__proto__ is a key like any other', () => {
    expect(Object.keys(parseStrictJson('{"__proto__":1}') as object)).toEqual(['__proto__']);
  });
});

describe('policy.json', () => {
  const parse = (value: unknown) => parsePolicy(JSON.stringify(value), '/p.json');

  test.each<[string, unknown]>([
    ['no default', { transports: {} }],
    ['an empty default', { default: [] }],
    ['an unknown field', { default: [ACCEPT], defaults: [] }],
    ['an unknown requirement', { default: [{ type: 'acceptAnything' }] }],
    ['a field too many', { default: [{ ...REJECT, keyPath: '/k' }] }],
    ['no key', { default: [{ type: 'sigstoreSigned' }] }],
    ['two keys', { default: [{ type: 'sigstoreSigned', keyPath: '/k', keyData: 'AA==' }] }],
    ['an empty list of keys', { default: [{ type: 'sigstoreSigned', keyPaths: [] }] }],
    ['key data that is no base64', { default: [{ type: 'sigstoreSigned', keyData: '-----BEGIN' }] }],
    [
      'an unknown identity',
      { default: [{ type: 'sigstoreSigned', keyPath: '/k', signedIdentity: { type: 'x' } }] },
    ],
    [
      'a scope of docker-archive',
      { default: [ACCEPT], transports: { 'docker-archive': { '/a': [REJECT] } } },
    ],
    ['a relative scope of dir', { default: [ACCEPT], transports: { dir: { a: [REJECT] } } }],
    ['all of dir by /', { default: [ACCEPT], transports: { dir: { '/': [REJECT] } } }],
    ['an empty scope', { default: [ACCEPT], transports: { docker: { 'a.b': [] } } }],
  ])('%s is refused', (_, value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'ERR_TSRUN_POLICY' }));
  });

  test('a field that is there twice is refused: readers could differ on it', () => {
    const text = '{"default":[{"type":"reject"}],"default":[{"type":"insecureAcceptAnything"}]}';
    expect(() => parsePolicy(text, '/p.json')).toThrow('/p.json');
  });

  test('what is not verified here is kept, and refuses by name', async () => {
    for (const requirement of [
      { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' },
      { type: 'sigstoreSigned', keyPath: '/k', rekorPublicKeyPath: '/r' },
      {
        type: 'sigstoreSigned',
        fulcio: { caPath: '/c', oidcIssuer: 'i', subjectEmail: 'e' },
        rekorPublicKeyPath: '/r',
      },
    ]) {
      const [parsed] = parse({ default: [requirement] }).default;
      expect(parsed).toMatchObject({
        type: 'unsupported',
        what: expect.stringMatching(/signedBy|rekor|fulcio/),
      });
    }
  });
});

test('scopes go from the whole name to the host, and to what is behind its dots', () => {
  expect(dockerScopes(parseReference('reg.example.com:5000/a/b:1'))).toEqual([
    'reg.example.com:5000/a/b:1',
    'reg.example.com:5000/a/b',
    'reg.example.com:5000/a',
    'reg.example.com:5000',
    '*.example.com',
    '*.com',
  ]);
  expect(dockerScopes(parseReference('busybox'))[0]).toBe('docker.io/library/busybox:latest');
  expect(scopesOf({ transport: 'oci', path: '/a/b' })).toEqual(['/a/b', '/a', '']);
  expect(scopesOf({ transport: 'oci-archive', path: '' })).toEqual(['']);
});

describe('signedIdentity', () => {
  const rule = (json: object) => parseIdentityRule(json as Json, (problem) => new Error(problem));
  const byDigest = `r.io/a/b@${DIGEST}`;
  test.each<[object, string | undefined, string, boolean]>([
    [{ type: 'matchExact' }, 'r.io/a/b:1', 'r.io/a/b:1', true],
    [{ type: 'matchExact' }, 'r.io/a/b:1', 'r.io/a/b', false],
    [{ type: 'matchExact' }, byDigest, 'r.io/a/b:1', false],
    [{ type: 'matchExact' }, 'busybox', 'docker.io/library/busybox:latest', true],
    [{ type: 'matchRepoDigestOrExact' }, 'r.io/a/b:1', 'r.io/a/b:1', true],
    [{ type: 'matchRepoDigestOrExact' }, 'r.io/a/b:1', 'r.io/a/b:2', false],
    [{ type: 'matchRepoDigestOrExact' }, byDigest, 'r.io/a/b:2', true],
    [{ type: 'matchRepoDigestOrExact' }, byDigest, 'r.io/a/b', false],
    [{ type: 'matchRepoDigestOrExact' }, byDigest, 'r.io/a/c:2', false],
    [{ type: 'matchRepoDigestOrExact' }, undefined, 'r.io/a/b:1', false],
    [{ type: 'matchRepository' }, 'r.io/a/b:1', 'r.io/a/b', true],
    [{ type: 'matchRepository' }, 'r.io/a/b:1', 'r.io/a/bc', false],
    [{ type: 'matchRepository' }, undefined, 'r.io/a/b', false],
    [{ type: 'exactReference', dockerReference: 'q.io/x:1' }, 'r.io/a/b:1', 'q.io/x:1', true],
    [{ type: 'exactReference', dockerReference: 'q.io/x:1' }, undefined, 'q.io/x:1', true],
    [{ type: 'exactReference', dockerReference: 'q.io/x:1' }, 'q.io/x:1', 'q.io/x', false],
    [{ type: 'exactRepository', dockerRepository: 'q.io/x' }, 'r.io/a/b:1', 'q.io/x:7', true],
    [{ type: 'exactRepository', dockerRepository: 'q.io/x' }, 'q.io/x:1', 'q.io/y:1', false],
    [{ type: 'remapIdentity', prefix: 'r.io/a', signedPrefix: 'v.io' }, 'r.io/a/b:1', 'v.io/b:1', true],
    [{ type: 'remapIdentity', prefix: 'r.io/a', signedPrefix: 'v.io' }, 'r.io/a/b:1', 'r.io/a/b:1', false],
    [{ type: 'remapIdentity', prefix: 'r.io/a', signedPrefix: 'v.io' }, 'r.io/ab/b:1', 'r.io/ab/b:1', true],
    [{ type: 'matchRepository' }, 'r.io/a/b:1', 'not a name', false],
    [{ type: 'matchRepository' }, 'r.io/a/b:1', '', false],
  ])('%j: image %s, signed as %s: %s', (json, image, signed, expected) => {
    expect(matchesIdentity(rule(json), image === undefined ? undefined : parseReference(image), signed)).toBe(
      expected,
    );
  });

  test.each([
    { type: 'exactReference', dockerReference: 'q.io/x' },
    { type: 'exactRepository', dockerRepository: 'q.io/x:1' },
    { type: 'remapIdentity', prefix: 'r.io/a:1', signedPrefix: 'r.io/' },
    { type: 'remapIdentity', prefix: 'r.io/a' },
    { type: 'matchExact', more: 1 },
  ])('%j is refused', (json) => {
    expect(() => rule(json)).toThrow(Error);
  });
});

const found = ({ payload, signature, mediaType }: SignedText) => ({
  mediaType,
  payload: Buffer.from(payload),
  annotations: { 'dev.cosignproject.cosign/signature': signature },
});

describe('a signature', () => {
  test.each<KeyKind>(['p256', 'p384', 'rsa', 'ed25519'])(
    'of a %s key is good, and no other key has made it',
    (kind) => {
      const [key, other] = [signingKey(kind), signingKey(kind)];
      const signature = found(signText(key, payloadOf(DIGEST, 'r.io/a')));
      const [mine, theirs] = [parsePublicKey(key.publicText), parsePublicKey(other.publicText)];
      expect(verifySignature(signature, [theirs, mine])).toEqual({
        manifestDigest: DIGEST,
        identity: 'r.io/a',
      });
      expect(() => verifySignature(signature, [theirs])).toThrow('not made by the key');
      const changed = { ...signature, payload: Buffer.from(payloadOf(DIGEST, 'r.io/b')) };
      expect(() => verifySignature(changed, [mine])).toThrow('not made by the key');
    },
  );

  const key = signingKey();
  const keys = [parsePublicKey(key.publicText)];
  const critical = JSON.parse(payloadOf(DIGEST, 'r.io/a')).critical as Record<string, unknown>;
  test.each<[string, string]>([
    [
      'another type',
      JSON.stringify({ critical: { ...critical, type: 'atomic container signature' }, optional: {} }),
    ],
    [
      'a critical field that nobody knows',
      JSON.stringify({ critical: { ...critical, also: 1 }, optional: {} }),
    ],
    ['no optional part', JSON.stringify({ critical })],
    ['an optional part that is a list', JSON.stringify({ critical, optional: [] })],
    ['a time that is none', JSON.stringify({ critical, optional: { timestamp: 1.5 } })],
    [
      'two digests',
      payloadOf(DIGEST, 'r.io/a').replace('"image":{', '"image":{"docker-manifest-digest":"sha256:00",'),
    ],
    ['no JSON', `${payloadOf(DIGEST, 'r.io/a')}x`],
    ['a digest that is a number', payloadOf(DIGEST, 'r.io/a').replace(`"${DIGEST}"`, '1')],
  ])('of a payload with %s is none, though the key has made it', (_, payload) => {
    expect(() => verifySignature(found(signText(key, payload)), keys)).toThrow(Error);
  });

  test('that is no base64, empty or missing is none', () => {
    const good = found(signText(key, payloadOf(DIGEST, 'r.io/a')));
    for (const annotations of [
      {},
      { 'dev.cosignproject.cosign/signature': '' },
      { 'dev.cosignproject.cosign/signature': '%%%%' },
      { 'dev.cosignproject.cosign/signature': Buffer.from('x'.repeat(72)).toString('base64') },
    ])
      expect(() => verifySignature({ ...good, annotations }, keys)).toThrow(Error);
  });

  test('a private key is not taken for a public one, nor is a certificate', () => {
    const secret = key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(() => parsePublicKey(secret)).toThrow('no PEM public key');
    expect(() => parsePublicKey('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----')).toThrow();
  });
});

describe('an image is admitted', () => {
  const key = signingKey();
  const keyData = Buffer.from(key.publicText).toString('base64');
  const signed = { type: 'sigstoreSigned', keyData, signedIdentity: { type: 'matchRepository' } };

  const decide = async (policy: object, place: Partial<ImagePlace> = {}): Promise<string> => {
    const file = join(temporaryDirectoryForTest(), 'policy.json');
    writeFileSync(file, JSON.stringify(policy));
    const identity = { transport: 'docker', reference: parseReference('r.io/a/b:1') } as const;
    try {
      await admission({ identity, ...place }, { file })(DIGEST);
      return 'admitted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const with_ = (...signatures: SignedText[]): Partial<ImagePlace> => ({
    signatures: async () => ({ signatures: signatures.map(found) }),
  });
  const good = signText(key, payloadOf(DIGEST, 'r.io/a/b'));

  test('without a policy', async () => {
    const identity = { transport: 'docker-archive' } as const;
    const environment = { HOME: temporaryDirectoryForTest() };
    // a machine may have a policy; then it is the one that podman's package brings, which accepts all
    await admission({ identity }, { environment })(DIGEST);
  });

  test('by the most exact scope, and by no other', async () => {
    const transports = { docker: { 'r.io': [REJECT], 'r.io/a/b': [ACCEPT], '': [REJECT] } };
    expect(await decide({ default: [REJECT], transports })).toBe('admitted');
    expect(await decide({ default: [ACCEPT], transports: { docker: { '*.io': [REJECT] } } })).toContain(
      '*.io',
    );
    expect(await decide({ default: [ACCEPT], transports: { docker: { 'r.io/a': [REJECT] } } })).toContain(
      'r.io/a',
    );
    expect(await decide({ default: [REJECT], transports: { oci: { '': [ACCEPT] } } })).toContain(
      'of default',
    );
  });

  test('only if all requirements are met', async () => {
    expect(await decide({ default: [ACCEPT, signed] }, with_(good))).toBe('admitted');
    expect(await decide({ default: [signed, REJECT] }, with_(good))).toContain('rejects');
    expect(
      await decide({ default: [ACCEPT, { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' }] }),
    ).toContain('GPG');
  });

  test('by one good signature among bad ones', async () => {
    const other = signText(signingKey(), payloadOf(DIGEST, 'r.io/a/b'));
    const elsewhere = signText(key, payloadOf(`sha256:${'00'.repeat(32)}`, 'r.io/a/b'));
    const bait = signText(key, payloadOf(DIGEST, 'r.io/a/evil'));
    const odd = { ...good, mediaType: 'application/vnd.in-toto+json' };
    expect(await decide({ default: [signed] }, with_(other, elsewhere, good))).toBe('admitted');
    expect(await decide({ default: [signed] }, with_(other))).toContain('not made by the key');
    expect(await decide({ default: [signed] }, with_(elsewhere))).toContain('one is of sha256:0000');
    expect(await decide({ default: [signed] }, with_(bait))).toContain('matchRepository');
    expect(await decide({ default: [signed] }, with_(odd))).toContain('there is none');
    expect(await decide({ default: [signed] }, with_())).toContain('there is none');
  });

  test('never by a policy, or a key, that cannot be read', async () => {
    const broken = { type: 'sigstoreSigned', keyPath: '/nonexistent.pub' };
    expect(await decide({ default: [broken] }, with_(good))).toContain('/nonexistent.pub');
    const file = join(temporaryDirectoryForTest(), 'policy.json');
    writeFileSync(file, '{');
    const identity = { transport: 'docker-archive' } as const;
    await expect(admission({ identity }, { file })(DIGEST)).rejects.toThrow('strict JSON');
    await expect(admission({ identity }, { file: `${file}.no` })(DIGEST)).rejects.toThrow('not there');
  });

  test('of a directory only under an exact identity', async () => {
    const identity = { transport: 'dir', path: '/x/y' } as const;
    expect(await decide({ default: [signed] }, { identity, ...with_(good) })).toContain('matchRepository');
    const exact = { ...signed, signedIdentity: { type: 'exactRepository', dockerRepository: 'r.io/a/b' } };
    expect(await decide({ default: [exact] }, { identity, ...with_(good) })).toBe('admitted');
    expect(
      await decide({ default: [ACCEPT], transports: { dir: { '/x': [REJECT] } } }, { identity }),
    ).toContain('/x');
  });
});
