/** Images for several platforms: copied with their index, beside skopeo; and inspected as skopeo does, mirrors included. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOf, type ImageFixture, imageOf, indexOf, tarOf } from '../support/image-fixture.ts';
import { pushDocument, pushImage } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { start, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const at = (name: string): string => join(tsrun.store.directory, name);
let registry: Registry;
let index: ReturnType<typeof indexOf>;
let [amd, arm, attestation]: ImageFixture[] = [];

beforeAll(async () => {
  registry = await startRegistry();
  amd = imageOf([await tarOf({ shared: 'shared' }), await tarOf({ a: 'amd' })]);
  arm = imageOf([await tarOf({ shared: 'shared' }), await tarOf({ a: 'arm' })], { architecture: 'arm64' });
  // As BuildKit writes them: a manifest that is for no platform.
  attestation = imageOf([await tarOf({ statement: '{}' })], { architecture: 'unknown' });
  const { host } = registry;
  for (const image of [amd, arm, attestation]) await pushImage(host, 'multi', image.manifestDigest, image);
  index = indexOf([
    { image: amd, architecture: 'amd64' },
    { image: arm, architecture: 'arm64', variant: 'v8' },
    { image: attestation, os: 'unknown', architecture: 'unknown' },
  ]);
  await pushDocument(host, 'multi', 'v1', index.index.mediaType!, index.bytes);
});
afterAll(() => registry?.[Symbol.asyncDispose]());

const skopeo = async (...words: string[]): Promise<string> => {
  const { status, stdout, stderr } = await start('skopeo', ['--insecure-policy', ...words]).ended;
  expect(status, stderr).toBe(0);
  return stdout;
};

it('copy --all changes no digest on any way, and skopeo reads each of them', async () => {
  const { host } = registry;
  const way = [
    `docker://${host}/multi:v1`,
    `oci:${at('layout')}:v1`,
    `oci-archive:${at('archive.tar')}:v1`,
    `dir:${at('plain')}`,
    `docker://${host}/again/multi:v2`,
  ];
  for (const [i, to] of way.slice(1).entries())
    expect(await tsrun.ok('copy', '-q', '--all', way[i] ?? '', to), to).toBe(index.digest);
  const logged = await tsrun.ok(
    'events',
    '--since',
    '1h',
    '--stream=false',
    '--format',
    '{{.Type}} {{.Status}} {{.Name}}',
  );
  expect(logged).toContain(`image push ${host}/again/multi:v2`);
  expect(logged.match(/^image save /gm)).toHaveLength(3);
  for (const place of way) {
    const tls = place.startsWith('docker:') ? ['--tls-verify=false'] : [];
    expect(digestOf(await skopeo('inspect', ...tls, '--raw', place)), place).toBe(index.digest);
    const copied = ['copy', '-q', '--all', ...tls.map((word) => word.replace('--', '--src-'))];
    await skopeo(...copied, place, `dir:${at(`by-skopeo-${way.indexOf(place)}`)}`);
  }
  // Without a name it keeps its own, so that a layout may hold several.
  const remote = [`${host}/multi:v1`, `${host}/again/multi:v2`];
  for (const name of remote) await tsrun.ok('copy', '-q', '--all', `docker://${name}`, `oci:${at('both')}`);
  for (const name of remote)
    expect(digestOf((await tsrun.expect(0, ['inspect', '--raw', `oci:${at('both')}:${name}`])).output)).toBe(
      index.digest,
    );
  const loaded = await tsrun.ok('load', '-i', at('both'));
  for (const name of remote) expect(loaded).toContain(name);
  const arm64 = await tsrun.ok(
    'pull',
    '-q',
    '--platform',
    'linux/arm64',
    way.at(-1)?.slice('docker://'.length) ?? '',
  );
  expect(arm64).toBe(arm?.manifest.config.digest.slice('sha256:'.length));
  await tsrun.ok('rmi', '-af');
});

it('takes what skopeo has written, and an image for one platform as it is', async () => {
  const { host } = registry;
  const tls = '--src-tls-verify=false';
  await skopeo('copy', '-q', '--all', tls, `docker://${host}/multi:v1`, `oci:${at('theirs')}:v1`);
  expect(
    await tsrun.ok(
      'copy',
      '-q',
      '--multi-arch=all',
      `oci:${at('theirs')}:v1`,
      `docker://${host}/from/skopeo`,
    ),
  ).toBe(index.digest);
  const one = `docker://${host}/multi@${arm?.manifestDigest}`;
  expect(await tsrun.ok('copy', '-q', '--all', '--tls-verify=false', one, `dir:${at('one')}`)).toBe(
    arm?.manifestDigest,
  );
});

it('says what cannot be', async () => {
  const from = `docker://${registry.host}/multi:v1`;
  const archive = await tsrun.expect(125, ['copy', '--all', from, `docker-archive:${at('no.tar')}`]);
  expect(archive.stderr).toContain('a docker-archive holds no index');
  const both = await tsrun.expect(125, [
    'copy',
    '--all',
    '--platform',
    'linux/arm64',
    from,
    `dir:${at('no')}`,
  ]);
  expect(both.stderr).toContain('contradict each other');
  // What was no index was copied whatever it was for.
  const one = `docker://${registry.host}/multi@${arm?.manifestDigest}`;
  const other = await tsrun.expect(125, ['copy', '--platform', 'linux/amd64', one, `dir:${at('no')}`]);
  expect(other.stderr).toMatch(/has no image for linux\/amd64; it has linux\/arm64/);
  // All of the image was fetched before these were looked at.
  writeFileSync(at('there.tar'), '');
  for (const [to, says] of [
    [`oci-archive:${at('there.tar')}`, 'is there already'],
    [`docker-archive:${at('nowhere/x.tar')}`, 'ENOENT'],
    [`docker://${registry.host}/Multi`, 'lowercase'],
  ] as const) {
    const { stderr } = await tsrun.expect(125, ['copy', from, to]);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain('Download complete');
  }
});

it('inspect prints documents as they are, for a platform, from a mirror', async () => {
  const name = `docker://${registry.host}/multi:v1`;
  expect(digestOf((await tsrun.expect(0, ['inspect', '--raw', name])).output)).toBe(index.digest);
  const manifest = await tsrun.expect(0, ['inspect', '--raw', '--platform', 'linux/arm64', name]);
  expect(digestOf(manifest.output)).toBe(arm?.manifestDigest);
  const foreign = indexOf([{ image: arm!, architecture: 's390x' }]);
  await pushDocument(registry.host, 'multi', 'foreign', foreign.index.mediaType!, foreign.bytes);
  const notForUs = `docker://${registry.host}/multi:foreign`;
  expect(digestOf((await tsrun.expect(0, ['inspect', '--raw', notForUs])).output)).toBe(foreign.digest);
  const config = await tsrun.expect(0, ['inspect', '--config', '--platform', 'linux/arm64', name]);
  expect(digestOf(config.output)).toBe(arm?.manifest.config.digest);
  expect(await tsrun.ok('inspect', '--platform', 'linux/arm64', '-f', '{{.Architecture}}', name)).toBe(
    'arm64',
  );
  mkdirSync(at('config/containers'), { recursive: true });
  const gone = '[[registry.mirror]]\nlocation = "127.0.0.1:1/gone"\n';
  const mirror = `[[registry.mirror]]\nlocation = "${registry.host}"\n`;
  writeFileSync(
    at('config/containers/registries.conf'),
    `[[registry]]\nprefix = "far.test"\n${gone}${mirror}`,
  );
  const env = { XDG_CONFIG_HOME: at('config') };
  const words = ['inspect', '--retry=0', '-f', '{{.Digest}} {{.RepoTags}}', 'docker://far.test/multi:v1'];
  const { stdout } = await tsrun.expect(0, words, { env });
  expect(stdout).toBe(`${index.digest} [far.test/multi:v1]\n`);
  // Of the store, too.
  await tsrun.ok('pull', '-q', `${registry.host}/multi:v1`);
  expect(digestOf((await tsrun.expect(0, ['inspect', '--raw', `${registry.host}/multi:v1`])).output)).toBe(
    index.digest,
  );
  await tsrun.ok('rmi', '-af');
});

// A chart of helm, an image of which the layers are encrypted: what skopeo copies as it is was refused, an artifact in words that were wrong
// ("it names no os and architecture").
it('copies artifacts and encrypted images as they are, with their digests, and says what they are where an image is needed', async () => {
  const { host } = registry;
  const chart = imageOf([await tarOf({ 'Chart.yaml': 'name: x' })]);
  const config = 'application/vnd.cncf.helm.config.v1+json';
  const manifestBytes = Buffer.from(
    JSON.stringify({ ...chart.manifest, config: { ...chart.manifest.config, mediaType: config } }),
  );
  const digest = digestOf(manifestBytes);
  await pushImage(host, 'chart', '1', { ...chart, manifestBytes, manifestDigest: digest });
  const way = [
    `docker://${host}/chart:1`,
    `oci:${at('chart')}:v1`,
    `oci-archive:${at('chart.tar')}:v1`,
    `dir:${at('chart-plain')}`,
    `docker://${host}/again/chart:2`,
  ];
  for (const [i, to] of way.slice(1).entries())
    expect(await tsrun.ok('copy', '-q', way[i] ?? '', to), to).toBe(digest);
  for (const place of way)
    expect(digestOf(Buffer.from(await skopeo('inspect', '--tls-verify=false', '--raw', place))), place).toBe(
      digest,
    );
  // skopeo verifies every blob as it copies
  await skopeo('copy', '-q', '--src-tls-verify=false', `${way.at(-1)}`, `dir:${at('chart-by-skopeo')}`);
  const archive = await tsrun.expect(125, ['copy', '-q', way[0] ?? '', `docker-archive:${at('chart.da')}`]);
  expect(archive.stderr).toContain('this is an artifact, and a docker-archive holds images only');
  for (const words of [
    ['pull', '-q', `${host}/chart:1`],
    ['inspect', way[0] ?? ''],
  ])
    expect((await tsrun.expect(125, words)).stderr).toMatch(
      /chart:1 is an artifact: its config has media type "application\/vnd\.cncf\.helm.*\nhint: tsrun copy docker:/,
    );

  const [first] = amd?.manifest.layers ?? [];
  const mediaType = `${first?.mediaType}+encrypted`;
  const encrypted = Buffer.from(
    JSON.stringify({
      ...amd?.manifest,
      layers: amd?.manifest.layers.map((layer) => ({ ...layer, mediaType })),
    }),
  );
  await pushDocument(host, 'multi', 'encrypted', 'application/vnd.oci.image.manifest.v1+json', encrypted);
  const secret = `docker://${host}/multi:encrypted`;
  expect(await tsrun.ok('copy', '-q', secret, `oci:${at('secret')}:v1`)).toBe(digestOf(encrypted));
  expect((await tsrun.expect(125, ['pull', '-q', secret])).stderr).toMatch(
    /\+encrypted", where .*\nhint: it is encrypted: skopeo copy --decryption-key/,
  );
});
