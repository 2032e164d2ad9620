/** policy.json, on every way by which an image comes in. Its rules are tried beside skopeo in test/integration/image-policy.test.ts. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { payloadOf, pushSignatures, signingKey, signText } from '../support/cosign.ts';
import { imageOf, tarOf } from '../support/image-fixture.ts';
import { pushImage } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const at = (name: string): string => join(tsrun.store.directory, name);
const ACCEPT = [{ type: 'insecureAcceptAnything' }];
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
  const image = imageOf([await tarOf({ a: 'a' })]);
  const key = signingKey();
  for (const name of ['signed', 'unsigned']) await pushImage(registry.host, name, 'v1', image);
  const payload = payloadOf(image.manifestDigest, `${registry.host}/signed`);
  await pushSignatures(registry.host, 'signed', image.manifestDigest, [signText(key, payload)]);
  await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
  await tsrun.ok('save', '--format', 'oci-archive', '-o', at('oci.tar'), 'localhost/busybox');
  await tsrun.ok('save', '-o', at('docker.tar'), 'localhost/busybox');
  writeFileSync(at('key.pub'), key.publicText);
  writeFileSync(at('root.tar'), await tarOf({ a: 'a' }));
  const configuration = at('home/.config/containers');
  mkdirSync(join(configuration, 'registries.d'), { recursive: true });
  const section = `docker:\n  ${registry.host}:\n    use-sigstore-attachments: true\n`;
  writeFileSync(join(configuration, 'registries.d', 'test.yaml'), section);
  const signed = {
    type: 'sigstoreSigned',
    keyPath: at('key.pub'),
    signedIdentity: { type: 'matchRepository' },
  };
  const policy = {
    default: [{ type: 'reject' }],
    transports: { docker: { [registry.host]: [signed] }, 'oci-archive': { [at('oci.tar')]: ACCEPT } },
  };
  writeFileSync(join(configuration, 'policy.json'), JSON.stringify(policy));
  writeFileSync(at('all.json'), JSON.stringify({ default: ACCEPT }));
});
afterAll(() => registry?.[Symbol.asyncDispose]());

const under = (...words: string[]) => tsrun.run(words, { env: { HOME: at('home') } });

const MOUNT = '--mount type=image,source=HOST/unsigned:v1,destination=/m';

it.each<[string, boolean, string]>([
  ['pull -q HOST/signed:v1', true, ''],
  ['pull -q HOST/unsigned:v1', false, 'and there is none'],
  ['create HOST/unsigned:v1 /a', false, 'and there is none'],
  ['copy docker://HOST/signed:v1 dir:AT/copied', true, ''],
  ['copy docker://HOST/unsigned:v1 dir:AT/not-copied', false, 'and there is none'],
  ['copy --signature-policy AT/all.json docker://HOST/unsigned:v1 dir:AT/copied-too', true, ''],
  ['load -i AT/oci.tar', true, ''],
  ['load -i AT/docker.tar', false, 'a docker-archive may not be used'],
  ['load --signature-policy AT/all.json -i AT/docker.tar', true, ''],
  ['run --rm --network none docker-archive:AT/docker.tar true', false, 'a docker-archive may not be used'],
  ['import AT/root.tar', false, 'a tarball may not be used'],
  ['run --rm --network none localhost/busybox true', true, ''],
  [`create ${MOUNT} localhost/busybox true`, false, 'and there is none'],
  [`create --signature-policy AT/all.json ${MOUNT} localhost/busybox true`, true, ''],
])('%s: %s', async (words, accepted, why) => {
  const written = words.replaceAll('HOST', registry.host).replaceAll('AT', tsrun.store.directory);
  const { status, stderr } = await under(...written.split(' '));
  expect({ status, stderr }).toMatchObject({
    status: accepted ? 0 : 125,
    stderr: expect.stringContaining(why),
  });
  if (!accepted) expect(stderr).toContain('ERR_TSRUN_POLICY_REFUSED');
});

it('`image trust` shows and changes it, and the next pull heeds it', async () => {
  const home = { env: { HOME: at('trusting') } };
  const trust = (...words: string[]) => tsrun.run(['image', 'trust', ...words], home);
  const pull = async (): Promise<number> =>
    (await tsrun.run(['pull', '-q', `${registry.host}/unsigned:v1`], home)).status ?? -1;
  expect((await trust('show')).stdout).toMatch(/^TRANSPORT +NAME +TYPE +ID +STORE\nall +default +\w+/);
  expect(await trust('set', '-t', 'accept', 'default')).toMatchObject({ status: 0 });
  expect(await pull()).toBe(0);
  expect(await trust('set', '-t', 'reject', registry.host)).toMatchObject({ status: 0 });
  expect(await pull()).toBe(125);
  const signed = ['set', '--type', 'sigstoreSigned', '-f', at('key.pub'), `${registry.host}/signed`];
  expect(await trust(...signed)).toMatchObject({ status: 0 });
  expect((await trust('show', '-n')).stdout).toContain(at('key.pub'));
  expect(JSON.parse((await trust('show', '--json')).stdout)).toContainEqual({
    transport: 'repository',
    name: registry.host,
    repo_name: registry.host,
    type: 'reject',
  });
  const file = at('trusting/.config/containers/policy.json');
  expect((await trust('show', '--raw')).stdout).toBe(readFileSync(file, 'utf8'));
  expect((await trust('set', '-t', 'signedBy', 'default')).stderr).toContain('needs a public key');
  expect((await trust('set', '-t', 'accept', 'Not/A/Scope')).stderr).toContain('is no registry');
  expect((await trust('set', '-t', 'sigstoreSigned', '-f', '/nowhere', 'a.b')).stderr).toContain(
    'no such file',
  );
});
