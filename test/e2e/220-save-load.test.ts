/**
 * `save` and `load`: what one store writes another reads, with the same ids and digests; skopeo, which shares its code with podman, reads
 * ours, and we read skopeo's.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageOf, tarOf, writeLayout } from '../support/image-fixture.ts';
import { useTsrun } from '../support/tsrun.ts';

const from = useTsrun();
const to = useTsrun();
const NAME = 'registry.example/team/app:v1';

const sha256 = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const at = (name: string): string => join(from.store.directory, name);
const skopeo = (...words: string[]): Buffer =>
  execFileSync('skopeo', words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...from.store.env },
  });

interface Ids {
  Id: string;
  ManifestDigest: string;
  RepoTags: string[];
}
async function inspect(tsrun: typeof from, name: string): Promise<Ids> {
  return JSON.parse(await tsrun.ok('image', 'inspect', name))[0];
}

beforeAll(async () => {
  const layers = [
    await tarOf({ 'etc/os-release': 'ID=test\n', 'bin/a': Buffer.alloc(100_000, 'a') }),
    await tarOf({ 'etc/b': 'b' }),
  ];
  mkdirSync(at('layout'));
  writeLayout(at('layout'), [{ image: imageOf(layers, { compression: 'zstd' }), name: NAME }]);
  expect(await from.ok('load', '-q', '-i', at('layout'))).toBe(`Loaded image: ${NAME}`);
  await from.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
});

describe('our archives', () => {
  it.each(['oci-archive', 'oci-dir', 'docker-dir', 'docker-archive'])(
    '%s is read again, and by skopeo',
    async (format) => {
      const path = at(`saved-${format}`);
      await from.ok('save', '--format', format, '-o', path, NAME);
      const [before] = [await inspect(from, NAME)];
      const transport = { 'oci-dir': 'oci', 'docker-dir': 'dir' }[format] ?? format;
      const config = skopeo('inspect', '--raw', '--config', `${transport}:${path}`);
      expect(sha256(config)).toBe(before.Id);
      if (format !== 'docker-archive')
        expect(sha256(skopeo('inspect', '--raw', `${transport}:${path}`))).toBe(before.ManifestDigest);
      // skopeo verifies every layer as it copies.
      skopeo('copy', '--insecure-policy', `${transport}:${path}`, `dir:${at(`copied-${format}`)}`);
      const said = await to.ok('load', '-q', '-i', path);
      expect(said).toBe(`Loaded image: ${format === 'docker-dir' ? before.Id : NAME}`);
      const after = await inspect(to, before.Id);
      expect(after.Id).toBe(before.Id);
      if (format !== 'docker-archive') expect(after.ManifestDigest).toBe(before.ManifestDigest);
      await to.ok('rmi', '-af');
    },
  );

  it('hold several images, and several names', async () => {
    await from.ok('tag', NAME, 'other:2');
    await from.ok('save', '-o', at('several.tar'), NAME, 'localhost/busybox', 'other:2');
    const [first, second] = JSON.parse(
      execFileSync('tar', ['-xOf', at('several.tar'), 'manifest.json'], { encoding: 'utf8' }),
    );
    expect(first.RepoTags).toEqual([NAME, 'localhost/other:2']);
    expect(second.RepoTags).toEqual(['localhost/busybox:latest']);
    const { output } = await from.expect(0, [
      'save',
      '--format',
      'oci-archive',
      NAME,
      'localhost/busybox',
      'other:2',
    ]);
    const said = `Loaded image: ${NAME}\nLoaded image: localhost/other:2\nLoaded image: localhost/busybox:latest\n`;
    expect((await to.expect(0, ['load', '-q'], { input: output })).stdout).toBe(said);
    await to.ok('rmi', '-af');
    expect((await to.expect(0, ['load', '-q'], { input: readFileSync(at('several.tar')) })).stdout).toBe(
      said,
    );
    expect(
      await to.ok('run', '--rm', '--network', 'none', '--pull', 'never', 'busybox', 'echo', 'runs'),
    ).toBe('runs');
    await to.ok('rmi', '-af');
    await from.ok('rmi', 'other:2');
  });

  it('without a name, and compressed', async () => {
    const { Id } = await inspect(from, NAME);
    const { output } = await from.expect(0, ['save', Id.slice(7, 19)]);
    for (const compressed of [gzipSync(output), zstdCompressSync(output)]) {
      expect((await to.expect(0, ['load', '-q'], { input: compressed })).stdout).toBe(
        `Loaded image: ${Id}\n`,
      );
      expect(await to.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe('<none>:<none>');
      writeFileSync(at('compressed'), compressed);
      await to.ok('load', '-qi', at('compressed'));
      expect(await to.ok('images', '-q', '--no-trunc')).toBe(Id);
    }
    await to.ok('load', '-qi', at('layout'));
    await to.ok('load', '-qi', at('compressed'));
    expect(await to.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe(NAME);
    await to.ok('rmi', '-af');
  });

  // `docker load` reads four compressions. Ours refused two of them, naming a pipe that a user then had to type.
  it.each(['xz', 'bzip2'])('compressed by %s, where that program is', async (program) => {
    const { Id } = await inspect(from, NAME);
    const { output } = await from.expect(0, ['save', NAME]);
    const compressed = execFileSync(program, ['-c'], { input: output });
    const loaded = await to.expect(0, ['load', '-q'], { input: compressed });
    expect(loaded.stdout).toBe(`Loaded image: ${NAME}\n`);
    await to.ok('rmi', NAME);
    writeFileSync(at('compressed'), compressed);
    expect(await to.ok('load', '-qi', at('compressed'))).toBe(`Loaded image: ${NAME}`);
    expect((await inspect(to, NAME)).Id).toBe(Id);
    expect(await to.ok('pull', '-q', `docker-archive:${at('compressed')}`)).toBe(Id.slice(7));
    await to.ok('rmi', '-af');
    const cut = at('cut');
    writeFileSync(cut, compressed.subarray(0, compressed.length - 20));
    const damaged = await to.expect(125, ['load', '-qi', cut]);
    expect(damaged.stderr).toMatch(new RegExp(`${program} data is damaged: ${program}: `));
    const poor = { env: { PATH: '/nowhere' } };
    const without = await to.expect(125, ['load', '-qi', at('compressed')], poor);
    const debian = { xz: 'xz-utils' }[program] ?? program;
    expect(without.stderr).toMatch(
      new RegExp(
        `is compressed by ${program}, and the program ${program} cannot be run\n(?:.*\n)?hint: sudo apt install ${debian}`,
      ),
    );
    expect(readdirSync(join(to.store.root, 'tmp'))).toEqual([]);
  });

  it('are the same bytes every time', async () => {
    const [a, b] = [await from.expect(0, ['save', NAME]), await from.expect(0, ['save', NAME])];
    expect(sha256(a.output)).toBe(sha256(b.output));
  });

  it('are not begun where they cannot be', async () => {
    expect((await from.expect(125, ['save', 'nothing'])).stderr).toContain(
      'image nothing is not in the store',
    );
    expect((await from.expect(125, ['save', '--format', 'oci-dir', NAME])).stderr).toContain(
      'needs a directory',
    );
    expect(
      (await from.expect(125, ['save', '--format', 'oci-dir', '-o', at('layout'), NAME])).stderr,
    ).toContain('is not empty');
    const onFile = ['save', '--format', 'oci-dir', '-o', join(at('layout'), 'index.json'), NAME];
    expect((await from.expect(125, onFile)).stderr).toMatch(/cannot write .*index\.json\ncause: ENOTDIR/);
    expect((await from.expect(125, ['save', '-o', '/dev/full', NAME])).stderr).toMatch(
      /cannot write the archive\ncause: ENOSPC/,
    );
    expect((await from.expect(125, ['load', '-i', at('nothing')])).stderr).toMatch(
      /cannot read .*nothing\ncause: ENOENT/,
    );
    expect(readdirSync(join(from.store.root, 'tmp'))).toEqual([]);
  });

  it('tell of what the store has lost', async () => {
    await to.ok('load', '-qi', at('layout'));
    const { Id } = await inspect(to, NAME);
    const blobs = join(to.store.root, 'blobs', 'sha256');
    const damaged =
      readdirSync(blobs).find(
        (name) => readFileSync(join(blobs, name)).subarray(0, 4).toString('hex') === '28b52ffd',
      ) ?? expect.fail('no layer');
    const bytes = readFileSync(join(blobs, damaged));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    writeFileSync(join(blobs, damaged), bytes);
    const target = at('damaged.tar');
    const { stderr } = await to.expect(125, ['save', '--format', 'oci-archive', '-o', target, Id]);
    expect(stderr).toContain(`blob sha256:${damaged} of the store has the wrong digest`);
    expect(readdirSync(from.store.directory)).not.toContain('damaged.tar');
    await to.ok('rmi', '-af');
  });
});

describe('the archives of others', () => {
  it.each(['docker-archive', 'oci-archive', 'oci', 'dir'])('%s of skopeo', async (transport) => {
    const path = at(`skopeo-${transport}`);
    const name = transport === 'dir' ? '' : `:${NAME}`;
    // docker's format has no layers compressed by zstd
    const source =
      transport === 'docker-archive' ? `docker-archive:${at('saved-docker-archive')}` : `oci:${at('layout')}`;
    skopeo('copy', '--insecure-policy', `${source}:${NAME}`, `${transport}:${path}${name}`);
    const said = await to.ok('load', '-qi', path);
    const { Id } = await inspect(from, NAME);
    expect(said).toBe(`Loaded image: ${transport === 'dir' ? Id : NAME}`);
    expect((await inspect(to, Id)).Id).toBe(Id);
    await to.ok('rmi', '-af');
  });
});
