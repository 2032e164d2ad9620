/**
 * policy.json beside skopeo: images of a real registry, signed in cosign's format, under many policies. Whatever skopeo accepts tsrun must
 * accept, and refuse what it refuses; the reasons are our own.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TsrunError } from '../../src/errors.ts';
import { ImageStore } from '../../src/store/images.ts';
import { blobsDirectory } from '../../src/store/paths.ts';
import { payloadOf, pushSignatures, type SigningKey, signingKey, signText } from '../support/cosign.ts';
import { type ImageFixture, indexOf, randomImage } from '../support/image-fixture.ts';
import { testPull } from '../support/pull-harness.ts';
import { pushDocument, pushImage } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { temporaryDirectoryForTest, temporaryStore } from '../support/temporary-store.ts';

const execute = promisify(execFile);

let registry: Registry;
let image: ImageFixture;
const keys: Record<'one' | 'two' | 'rsa' | 'ed25519', SigningKey> = {
  one: signingKey(),
  two: signingKey(),
  rsa: signingKey('rsa'),
  ed25519: signingKey('ed25519'),
};

/** Repository → what is signed there, in cosign's way: `$` is the repository with its registry. */
const SIGNED: Record<string, { by: SigningKey; as: string; digest?: string; more?: object }[]> = {
  unsigned: [],
  'by/one': [{ by: keys.one, as: '$' }],
  'by/one-exactly': [{ by: keys.one, as: '$:v1' }],
  'by/one-other-tag': [{ by: keys.one, as: '$:v2' }],
  'by/two': [{ by: keys.two, as: '$:v1' }],
  'by/both': [
    { by: keys.two, as: '$:v1' },
    { by: keys.one, as: '$:v1' },
  ],
  'by/rsa': [{ by: keys.rsa, as: '$:v1' }],
  'by/ed25519': [{ by: keys.ed25519, as: '$:v1' }],
  'by/vendor': [{ by: keys.one, as: 'vendor.example.com/by/vendor:v1' }],
  'of/other': [{ by: keys.one, as: '$:v1', digest: `sha256:${'12'.repeat(32)}` }],
  'with/extras': [
    { by: keys.one, as: '$:v1', more: { optional: { creator: 'me', timestamp: 1, colour: 'red' } } },
  ],
  'with/odd-time': [{ by: keys.one, as: '$:v1', more: { optional: { timestamp: 1.5 } } }],
  'with/more-fields': [{ by: keys.one, as: '$:v1', more: { surplus: 1 } }],
  'of/index-only': [],
};

beforeAll(async () => {
  registry = await startRegistry();
  image = await randomImage([1000, 10]);
  const { host } = registry;
  const made = indexOf([{ image, architecture: 'amd64' }]);
  for (const [repository, signatures] of Object.entries(SIGNED)) {
    await pushImage(host, repository, 'v1', image);
    const signed = signatures.map(({ by, as, digest, more }) =>
      signText(by, payloadOf(digest ?? image.manifestDigest, as.replace('$', `${host}/${repository}`), more)),
    );
    if (signed.length > 0) await pushSignatures(host, repository, image.manifestDigest, signed);
  }
  for (const repository of ['by/one-exactly', 'of/index-only'])
    await pushDocument(host, repository, 'list', made.index.mediaType ?? '', made.bytes);
  const ofIndex = signText(keys.one, payloadOf(made.digest, `${host}/of/index-only:list`));
  await pushSignatures(host, 'of/index-only', made.digest, [ofIndex]);
});

afterAll(() => registry[Symbol.asyncDispose]());

interface Verdicts {
  /** Debian 12's skopeo is built without sigstore; TSRUN_TEST_SKOPEO names one that is not. */
  skopeo: boolean | 'no opinion';
  tsrun: boolean;
  /** tsrun's message when it refuses. */
  why: string;
}

/** What both say of an image under a policy. `attachments`: what registries.d says of the registry. */
async function judge(name: string, policy: object, attachments = 'true'): Promise<Verdicts> {
  const { host } = registry;
  const HOME = temporaryDirectoryForTest();
  const configuration = join(HOME, '.config', 'containers');
  mkdirSync(join(configuration, 'registries.d'), { recursive: true });
  writeFileSync(join(HOME, 'one.pub'), keys.one.publicText);
  const text = JSON.stringify(policy).replaceAll('$HOST', host).replaceAll('$HOME', HOME);
  writeFileSync(join(configuration, 'policy.json'), text);
  writeFileSync(
    join(configuration, 'registries.d', 'all.yaml'),
    `docker:\n    ${host}:\n        use-sigstore-attachments: ${attachments}\n`,
  );
  const { result } = testPull(temporaryStore(), `${host}/${name}`, { environment: { HOME } });
  const ours = await result.then(
    () => ({ tsrun: true, why: '' }),
    (error: TsrunError) => ({ tsrun: false, why: `${error.code} ${error.message}` }),
  );
  const words = [
    '--policy',
    join(configuration, 'policy.json'),
    '--registries.d',
    join(configuration, 'registries.d'),
  ];
  const copy = ['copy', '--quiet', '--remove-signatures', '--src-tls-verify=false'];
  const target = join(HOME, 'target');
  const skopeo = await execute(process.env.TSRUN_TEST_SKOPEO ?? 'skopeo', [
    ...words,
    ...copy,
    `docker://${host}/${name}`,
    `dir:${target}`,
  ]).then(
    (): Verdicts['skopeo'] => true,
    (error: { stderr: string }) => {
      if (/no such host|connection refused/.test(error.stderr)) throw error;
      return error.stderr.includes('sigstore disabled') ? 'no opinion' : false;
    },
  );
  rmSync(target, { recursive: true, force: true });
  return { skopeo, ...ours };
}

const either = (accepted: boolean): unknown => expect.toBeOneOf([accepted, 'no opinion']);
const b64 = (key: SigningKey): string => Buffer.from(key.publicText).toString('base64');
const signedBy = (key: SigningKey, signedIdentity?: object): object => ({
  default: [{ type: 'reject' }],
  transports: {
    docker: {
      $HOST: [{ type: 'sigstoreSigned', keyData: b64(key), ...(signedIdentity && { signedIdentity }) }],
    },
  },
});
const REPOSITORY = { type: 'matchRepository' };
const REMAP = { type: 'remapIdentity', prefix: '$HOST', signedPrefix: 'vendor.example.com' };

describe('skopeo and tsrun agree', () => {
  test.each<[name: string, accepted: boolean, policy: object]>([
    ['unsigned:v1', false, signedBy(keys.one)],
    ['by/one:v1', false, signedBy(keys.one)],
    ['by/one:v1', true, signedBy(keys.one, REPOSITORY)],
    ['by/one:v1', false, signedBy(keys.two, REPOSITORY)],
    ['by/one-exactly:v1', true, signedBy(keys.one)],
    ['by/one-exactly:v1', true, signedBy(keys.one, { type: 'matchExact' })],
    ['by/one-exactly:list', false, signedBy(keys.one)],
    ['by/one-exactly:list', true, signedBy(keys.one, REPOSITORY)],
    ['by/one-other-tag:v1', false, signedBy(keys.one)],
    ['by/one-other-tag:v1', true, signedBy(keys.one, REPOSITORY)],
    ['by/one-other-tag@DIGEST', true, signedBy(keys.one)],
    ['by/one-other-tag@DIGEST', false, signedBy(keys.one, { type: 'matchExact' })],
    ['by/one@DIGEST', false, signedBy(keys.one)],
    ['by/two:v1', false, signedBy(keys.one)],
    ['by/two:v1', true, signedBy(keys.two)],
    ['by/both:v1', true, signedBy(keys.one)],
    ['by/rsa:v1', true, signedBy(keys.rsa)],
    ['by/ed25519:v1', true, signedBy(keys.ed25519)],
    ['by/vendor:v1', false, signedBy(keys.one, REPOSITORY)],
    ['by/vendor:v1', true, signedBy(keys.one, REMAP)],
    ['by/one-exactly:v1', false, signedBy(keys.one, REMAP)],
    [
      'by/vendor:v1',
      true,
      signedBy(keys.one, { type: 'exactRepository', dockerRepository: 'vendor.example.com/by/vendor' }),
    ],
    [
      'by/vendor:v1',
      true,
      signedBy(keys.one, { type: 'exactReference', dockerReference: 'vendor.example.com/by/vendor:v1' }),
    ],
    [
      'by/vendor:v1',
      false,
      signedBy(keys.one, { type: 'exactReference', dockerReference: 'vendor.example.com/by/vendor:v2' }),
    ],
    ['of/other:v1', false, signedBy(keys.one)],
    ['of/index-only:list', false, signedBy(keys.one)],
    ['with/extras:v1', true, signedBy(keys.one)],
    ['with/odd-time:v1', false, signedBy(keys.one)],
    ['with/more-fields:v1', false, signedBy(keys.one)],
    ['unsigned:v1', true, { default: [{ type: 'insecureAcceptAnything' }] }],
    ['unsigned:v1', false, { default: [{ type: 'reject' }] }],
    [
      'unsigned:v1',
      true,
      {
        default: [{ type: 'reject' }],
        transports: { docker: { '$HOST/unsigned:v1': [{ type: 'insecureAcceptAnything' }] } },
      },
    ],
    [
      'unsigned:v1',
      false,
      {
        default: [{ type: 'reject' }],
        transports: { docker: { '$HOST/unsigned:v2': [{ type: 'insecureAcceptAnything' }] } },
      },
    ],
    [
      'unsigned:v1',
      true,
      {
        default: [{ type: 'reject' }],
        transports: { docker: { '*.0.1': [{ type: 'insecureAcceptAnything' }] } },
      },
    ],
    [
      'by/one:v1',
      true,
      {
        default: [{ type: 'reject' }],
        transports: { docker: { '$HOST/by': [{ type: 'insecureAcceptAnything' }] } },
      },
    ],
    [
      'unsigned:v1',
      false,
      {
        default: [{ type: 'reject' }],
        transports: { docker: { '$HOST/by': [{ type: 'insecureAcceptAnything' }] } },
      },
    ],
    [
      'by/one:v1',
      true,
      { default: [{ type: 'sigstoreSigned', keyPath: '$HOME/one.pub', signedIdentity: REPOSITORY }] },
    ],
    [
      'by/one:v1',
      false,
      { default: [{ type: 'sigstoreSigned', keyPath: '$HOME/none.pub', signedIdentity: REPOSITORY }] },
    ],
    [
      'by/one:v1',
      false,
      { default: [{ type: 'sigstoreSigned', keyPath: '$HOME/one.pub', keyData: 'AAAA' }] },
    ],
    ['by/one:v1', false, { default: [{ type: 'insecureAcceptAnything', surplus: 1 }] }],
    ['by/one:v1', false, { default: [] }],
    ['by/one:v1', false, { default: [{ type: 'signedBy', keyType: 'GPGKeys', keyData: 'AAAA' }] }],
    ['by/one:v1', false, { default: [{ type: 'insecureAcceptAnything' }, { type: 'reject' }] }],
  ])('%s: %s (%#)', async (name, accepted, policy) => {
    const verdicts = await judge(name.replace('DIGEST', image.manifestDigest), policy);
    expect(verdicts, verdicts.why).toMatchObject({ skopeo: either(accepted), tsrun: accepted });
    if (!accepted) expect(verdicts.why).toMatch(/^ERR_TSRUN_POLICY/);
  });

  test('that signatures are not looked for where registries.d does not say so', async () => {
    const verdicts = await judge('by/one:v1', signedBy(keys.one, REPOSITORY), 'false');
    expect(verdicts).toMatchObject({ skopeo: either(false), tsrun: false });
    expect(verdicts.why).toContain('use-sigstore-attachments');
  });
});

test('what is refused leaves nothing: no name, no layers, no blobs', async () => {
  const paths = temporaryStore();
  const HOME = temporaryDirectoryForTest();
  const file = join(HOME, 'policy.json');
  writeFileSync(file, JSON.stringify({ default: [{ type: 'reject' }] }));
  const { result, events } = testPull(paths, `${registry.host}/unsigned:v1`, { signaturePolicy: file });
  await expect(result).rejects.toMatchObject({ code: 'ERR_TSRUN_POLICY_REFUSED' });
  expect(new ImageStore(paths).list()).toEqual([]);
  expect(events.filter(({ type }) => type === 'layer')).toEqual([]);
  expect(existsSync(blobsDirectory(paths)) ? readdirSync(blobsDirectory(paths)) : []).toEqual([]);
});

test('an image of the store is asked for again when it is pulled again', async () => {
  const paths = temporaryStore();
  const name = `${registry.host}/unsigned:v1`;
  await testPull(paths, name).result;
  const file = join(temporaryDirectoryForTest(), 'policy.json');
  writeFileSync(file, JSON.stringify({ default: [{ type: 'reject' }] }));
  await expect(testPull(paths, name, { signaturePolicy: file }).result).rejects.toMatchObject({
    code: 'ERR_TSRUN_POLICY_REFUSED',
  });
});

test('a signature that the registry has lost or damaged is an error, and no way in', async () => {
  const { host, directory } = registry;
  await pushImage(host, 'damaged', 'v1', image);
  const payload = payloadOf(image.manifestDigest, `${host}/damaged:v1`, { optional: { creator: 'lost' } });
  await pushSignatures(host, 'damaged', image.manifestDigest, [signText(keys.one, payload)]);
  const { stdout } = await execute('grep', ['-rl', '"creator":"lost"', directory]);
  writeFileSync(stdout.trim(), payload.replace('lost', 'losT'));
  const verdicts = await judge('damaged:v1', signedBy(keys.one));
  expect(verdicts).toMatchObject({ skopeo: either(false), tsrun: false });
  expect(verdicts.why).toContain('ERR_TSRUN_MISMATCH');
});
