/** Images named by where they are: oci:, oci-archive:, docker-archive:, dir: and docker://. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageOf, tarOf, writeLayout } from '../support/image-fixture.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const at = (name: string): string => join(tsrun.store.directory, name);
let registry: Registry;
let id: string;

beforeAll(async () => {
  registry = await startRegistry();
  await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
  id = await tsrun.ok('image', 'inspect', '-f', '{{.Id}}', 'localhost/busybox');
  await tsrun.ok('save', '--format', 'oci-dir', '-o', at('layout'), 'localhost/busybox');
  await tsrun.ok('save', '--format', 'docker-dir', '-o', at('plain'), 'localhost/busybox');
  await tsrun.ok('save', '--format', 'oci-archive', '-o', at('oci.tar'), 'localhost/busybox');
  await tsrun.ok('save', '-o', at('docker.tar'), 'localhost/busybox');
  await tsrun.ok('rmi', '-af');
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

describe('an image may be named by its place', () => {
  it('of a layout whose index names it twice', async () => {
    const twice = at('twice');
    cpSync(at('layout'), twice, { recursive: true });
    const index = JSON.parse(readFileSync(join(twice, 'index.json'), 'utf8')) as { manifests: object[] };
    const manifests = [...index.manifests, ...index.manifests];
    writeFileSync(join(twice, 'index.json'), JSON.stringify({ ...index, manifests }));
    expect(`sha256:${await tsrun.ok('pull', '-q', `oci:${twice}`)}`).toBe(id);
    await tsrun.ok('rmi', '-af');
  });

  it.each([
    ['oci:layout', 'localhost/busybox:latest'],
    ['oci-archive:oci.tar', 'localhost/busybox:latest'],
    ['docker-archive:docker.tar', 'localhost/busybox:latest'],
    ['dir:plain', '<none>:<none>'],
  ])('%s', async (place, name) => {
    const image = JSON.parse(await tsrun.ok('image', 'inspect', place))[0];
    expect(image).toMatchObject({ Id: id, Os: 'linux', RootFS: { Type: 'layers' } });
    expect(await tsrun.ok('images', '-q')).toBe('');
    expect(await tsrun.ok('run', '--rm', '--network', 'none', place, 'echo', 'ran')).toBe('ran');
    expect(await tsrun.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe(name);
    expect(await tsrun.ok('pull', '-q', place)).toBe(id.slice('sha256:'.length));
    await tsrun.ok('rmi', '-af');
  });

  it('of several images by its name or tag', async () => {
    mkdirSync(at('several'));
    const [a, b] = [imageOf([await tarOf({ a: 'a' })]), imageOf([await tarOf({ b: 'b' })])];
    writeLayout(at('several'), [
      { image: a, name: 'one' },
      { image: b, name: 'two' },
    ]);
    expect(await tsrun.ok('pull', '-q', 'oci:several:two')).toBe(b.manifest.config.digest.slice(7));
    expect(await tsrun.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe('localhost/several:two');
    const { stderr } = await tsrun.expect(125, ['pull', 'oci:several']);
    expect(stderr).toContain('it holds several images, say which one: one, two');
    const other = await tsrun.expect(125, ['pull', 'oci:./several:three']);
    expect(other.stderr).toContain('it has no image "three"; it has one, two');
    await tsrun.ok('rmi', '-af');
  });

  it('but a name that only looks like a place is a name', async () => {
    expect(existsSync(at('nothing'))).toBe(false);
    const { stderr } = await tsrun.expect(125, ['run', '--pull', 'never', 'oci:nothing', 'true']);
    expect(stderr).toContain('image oci:nothing is not in the store');
    expect((await tsrun.expect(125, ['pull', 'dir:./nothing'])).stderr).toContain('manifest.json is missing');
    // A mistyped archive was asked for at docker.io, as an image called `docker-archive`; and no tag has a colon.
    const typo = await tsrun.expect(125, ['pull', 'docker-archive:typo.tar']);
    expect(typo.stderr).toContain('cannot read typo.tar');
    expect((await tsrun.expect(125, ['pull', 'oci:no:v1'])).stderr).toContain('index.json is missing');
  });

  it('push writes to all of them what it would push; it refused, and its own hint for --encrypt-layer asked for it', async () => {
    await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
    const digest = await tsrun.ok('inspect', '-f', '{{.ManifestDigest}}', 'localhost/busybox');
    for (const place of ['oci:p1:v1', 'oci-archive:p2.tar', 'dir:p3', 'docker-archive:p4.tar:p:4']) {
      await tsrun.ok('push', '--digestfile', at('digest'), 'localhost/busybox', place);
      expect(readFileSync(at('digest'), 'utf8')).toBe(digest);
      expect(await tsrun.ok('inspect', '-f', '{{.Id}}', place.replace(/:p:4$/, ''))).toBe(id);
    }
    const again = await tsrun.expect(125, ['push', 'localhost/busybox', 'dir:p3']);
    expect(again.stderr).toContain('the directory p3 is not empty');
    await tsrun.expect(125, ['push', 'localhost/busybox', 'docker-daemon:x']);
  });

  it('load takes a URL, as import does', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/docker.tar') createReadStream(at('docker.tar')).pipe(response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await tsrun.ok('rmi', '-af');
      expect(await tsrun.ok('load', '-q', '-i', `${url}/docker.tar`)).toBe(
        'Loaded image: localhost/busybox:latest',
      );
      expect((await tsrun.expect(125, ['load', '-i', `${url}/none`])).stderr).toContain(
        'the server answered 404',
      );
    } finally {
      server.close();
      await tsrun.ok('rmi', '-af');
    }
  });

  it('docker:// is looked at without a pull', async () => {
    const reference = await registry.push('busybox', 'team/box:v1');
    const words = ['image', 'inspect', `docker://${reference}`];
    const [image] = JSON.parse(await tsrun.ok(...words));
    expect(image).toMatchObject({
      Id: expect.stringMatching(/^sha256:/),
      RepoTags: [reference],
      RepoDigests: [`${registry.host}/team/box@${image.Digest}`],
    });
    expect(image.Size).toBeGreaterThan(100_000);
    expect(await tsrun.ok('inspect', '-f', '{{.Architecture}}', `docker://${reference}`)).toBe(
      image.Architecture,
    );
    const manifest = JSON.parse(await tsrun.ok('manifest', 'inspect', reference));
    expect(manifest).toMatchObject({ schemaVersion: 2, config: { digest: image.Id } });
    expect(JSON.parse(await tsrun.ok('manifest', 'inspect', 'oci:layout'))).toMatchObject({
      config: { digest: id },
    });
    const made = await tsrun.expect(125, ['manifest', 'create', 'x']);
    expect(made.stderr).toContain('hint: buildah manifest');
    expect(await tsrun.ok('images', '-q')).toBe('');
    const layers = join(tsrun.store.root, 'layers');
    expect(existsSync(layers) ? readdirSync(layers) : []).toEqual([]);
    const missing = await tsrun.expect(125, ['inspect', `docker://${registry.host}/team/box:v2`]);
    expect(missing.stderr).toContain('has no tag v2');
  });
});

const REF_NAME = 'org.opencontainers.image.ref.name';
const namesIn = (layout: string): (string | undefined)[] =>
  JSON.parse(readFileSync(join(at(layout), 'index.json'), 'utf8')).manifests.map(
    ({ annotations }: { annotations?: Record<string, string> }) => annotations?.[REF_NAME],
  );

// zstd, with a table of contents in frames that a reader skips: what podman and skopeo make for pulls of parts.
it('layers in zstd:chunked are read as zstd', async () => {
  const chunked = ['--dest-compress', '--dest-compress-format', 'zstd:chunked'];
  const way = [`docker-archive:${at('docker.tar')}`, `oci:${at('chunked')}:v1`];
  execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', ...chunked, ...way]);
  expect(await tsrun.ok('inspect', '--raw', 'oci:chunked:v1')).toContain('io.containers.zstd-chunked');
  expect(await tsrun.ok('run', '--rm', '--network', 'none', 'oci:chunked:v1', 'echo', 'ran')).toBe('ran');
  expect(await tsrun.ok('system', 'check')).toMatch(/: no damage$/);
  await tsrun.ok('rmi', '-af');
});

describe('copy', () => {
  it('goes between all places, changes no digest, and leaves nothing in the store', async () => {
    const reference = `docker://${await registry.push('busybox', 'team/copied:v1')}`;
    const digest = await tsrun.ok('inspect', '-f', '{{.ManifestDigest}}', reference);
    const way = [
      reference,
      'oci:c1:tag',
      'oci-archive:c2.tar:localhost/c:2',
      'dir:c3',
      `docker://${registry.host}/other/place:v2`,
    ];
    for (const [i, to] of way.slice(1).entries()) {
      expect(await tsrun.ok('copy', '-q', way[i] ?? '', to), to).toBe(digest);
    }
    expect(await tsrun.ok('inspect', '-f', '{{.ManifestDigest}}', way.at(-1) ?? '')).toBe(digest);
    await tsrun.ok('copy', '-q', 'dir:c3', 'docker-archive:c4.tar:c:4');
    const id = await tsrun.ok('inspect', '-f', '{{.Id}}', reference);
    expect(await tsrun.ok('inspect', '-f', '{{.Id}}', 'docker-archive:c4.tar')).toBe(id);
    for (const directory of ['layers', 'images', join('blobs', 'sha256')]) {
      const path = join(tsrun.store.root, directory);
      expect(existsSync(path) ? readdirSync(path) : [], directory).toEqual([]);
    }
    expect(await tsrun.ok('run', '--rm', '--network', 'none', 'docker-archive:c4.tar', 'echo', 'ran')).toBe(
      'ran',
    );
    await tsrun.ok('rmi', '-af');
  });

  it('adds to a layout, as skopeo does: a name is given to the last image that came by it', async () => {
    const digest = await tsrun.ok('copy', '-q', 'oci:layout', 'oci:grown:first');
    await tsrun.ok('copy', '-q', 'oci-archive:oci.tar', 'oci:grown:second');
    await tsrun.ok('copy', '-q', 'dir:plain', 'oci:grown:first');
    execFileSync('skopeo', [
      '--insecure-policy',
      'copy',
      '-q',
      `dir:${at('plain')}`,
      `oci:${at('grown')}:third`,
    ]);
    expect(namesIn('grown')).toEqual(['second', 'first', 'third']);
    // Without a name it is there already, and takes none away.
    for (const words of [['--all'], []]) await tsrun.ok('copy', '-q', ...words, 'dir:plain', 'oci:grown');
    expect(namesIn('grown')).toEqual(['second', 'first', 'third']);
    expect(await tsrun.ok('inspect', '-f', '{{.ManifestDigest}}', 'oci:grown:first')).toBe(digest);
    expect(
      readdirSync(join(at('grown'), 'blobs', 'sha256')).filter((blob) => !/^[0-9a-f]{64}$/.test(blob)),
    ).toEqual([]);
  });

  it('gives a name that an image of docker has besides its full one', async () => {
    cpSync(at('layout'), at('theirs'), { recursive: true });
    const path = join(at('theirs'), 'index.json');
    const tagged = readFileSync(path, 'utf8').replace(
      `"${REF_NAME}":"localhost/busybox:latest"`,
      `"${REF_NAME}":"v1"`,
    );
    writeFileSync(path, tagged);
    await tsrun.ok('copy', '-q', 'dir:plain', 'oci:theirs:v1');
    expect(namesIn('theirs')).toEqual([undefined, 'v1']);
    for (const name of ['v1', 'localhost/busybox:latest'])
      expect(await tsrun.ok('inspect', '-f', '{{.Id}}', `oci:theirs:${name}`)).toBe(id);
  });

  it('of several at the same time into one layout loses none', async () => {
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((name) => tsrun.ok('copy', '-q', 'dir:plain', `oci:crowded:${name}`)));
    expect(namesIn('crowded').toSorted()).toEqual(names);
  });

  it('needs to be told where, and overwrites nothing', async () => {
    const { stderr } = await tsrun.expect(125, ['copy', 'httpd', 'oci:x']);
    expect(stderr).toMatch(/"httpd" does not say where.*\nhint: tsrun copy docker:\/\/httpd/);
    // The hint took what it was to be copied to for what is copied, and another engine's store for a name at a registry.
    const toWhere = await tsrun.expect(125, ['copy', 'dir:plain', 'localhost:5000/x']);
    expect(toWhere.stderr).toContain('hint: tsrun copy FROM docker://localhost:5000/x ');
    const fromPodman = await tsrun.expect(125, ['copy', 'containers-storage:x', 'oci:x']);
    expect(fromPodman.stderr).toContain('hint: podman save IMAGE | tsrun load');
    const toDocker = await tsrun.expect(125, ['copy', 'dir:plain', 'docker-daemon:x:1']);
    expect(toDocker.stderr).toContain('hint: tsrun save IMAGE | docker load');
    expect((await tsrun.expect(125, ['copy', 'dir:plain', 'oci:plain'])).stderr).toContain(
      'plain is not empty, and no OCI layout',
    );
    expect((await tsrun.expect(125, ['copy', 'dir:plain', 'dir:layout'])).stderr).toContain(
      'layout is not empty',
    );
    expect((await tsrun.expect(125, ['copy', 'dir:plain', 'oci-archive:oci.tar'])).stderr).toMatch(
      /the file oci\.tar is there already/,
    );
    for (const to of ['oci:oci.tar', 'dir:oci.tar'])
      expect((await tsrun.expect(125, ['copy', 'dir:plain', to])).stderr, to).toMatch(
        /cannot write oci\.tar\ncause: ENOTDIR/,
      );
    expect((await tsrun.expect(125, ['copy', 'oci:./none', 'dir:new'])).stderr).toContain(
      'index.json is missing',
    );
    expect(existsSync(at('new'))).toBe(false);
    // mkdir(2) says ENOENT there though the parent is there: Node's own way to make directories tried again for ever.
    for (const to of ['oci:/proc/none', 'dir:/proc/none/deeper'])
      expect((await tsrun.expect(125, ['copy', 'dir:plain', to])).stderr, to).toMatch(
        /cannot write \/proc\/none.*\ncause: ENOENT/,
      );
  });
});
