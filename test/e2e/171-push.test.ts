/** Round trips: what tsrun pushes is what it pulled, also for podman and skopeo. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/spec/image.ts';
import { DOCKER_MANIFEST, OCI_MANIFEST } from '../../src/spec/media-types.ts';
import { endPodmanPause } from '../support/podman-pause.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { start, useTsrun } from '../support/tsrun.ts';

const credentials = { user: 'me', password: 'secret' };

describe('push', () => {
  const tsrun = useTsrun();
  let open: Registry;
  let secured: Registry;

  beforeAll(async () => {
    [open, secured] = await Promise.all([startRegistry(), startRegistry({ credentials, tls: true })]);
    await open.push('busybox', 'team/busybox:1');
  });
  afterAll(async () => {
    endPodmanPause(tsrun.store.env.XDG_RUNTIME_DIR!);
    await open[Symbol.asyncDispose]();
    await secured[Symbol.asyncDispose]();
  });

  const manifest = async (reference: string, ...words: string[]): Promise<Buffer> => {
    const command = ['inspect', '--raw', '--tls-verify=false', ...words, `docker://${reference}`];
    const { status, output, stderr } = await start('skopeo', command, { env: tsrun.store.env }).ended;
    expect(status, stderr).toBe(0);
    return output;
  };

  it('keeps every digest, from one registry to another', async () => {
    const from = `${open.host}/team/busybox:1`;
    await tsrun.expect(0, ['pull', '-q', from]);
    const file = join(tsrun.store.directory, 'digest');
    const login = ['--creds', 'me:secret', '--tls-verify=false'];
    const to = `${secured.host}/copy/busybox:2`;
    const pushed = await tsrun.expect(0, ['push', ...login, '--digestfile', file, from, `docker://${to}`]);
    expect(pushed.stdout).toBe('');
    expect(pushed.stderr).toMatch(/^The push refers to repository \[127\.0\.0\.1:\d+\/copy\/busybox\]\n/);
    const copy = await manifest(to, '--creds', 'me:secret');
    expect(copy).toEqual(await manifest(from));
    const digest = `sha256:${createHash('sha256').update(copy).digest('hex')}`;
    expect(readFileSync(file, 'utf8')).toBe(digest);
    expect(pushed.stderr).toMatch(new RegExp(`${to}: digest: ${digest} size: ${copy.length}\n$`));
  });

  it('is what podman pulls, and podman pushes what tsrun pulls', async () => {
    const env = { ...tsrun.store.env, STORAGE_DRIVER: 'vfs' };
    const podman = async (...words: string[]): Promise<string> => {
      const all = ['--root', join(tsrun.store.directory, 'p'), '--cgroup-manager', 'cgroupfs', ...words];
      const { status, stdout, stderr } = await start('podman', all, { env }).ended;
      expect(status, stderr).toBe(0);
      return stdout.trim();
    };
    await tsrun.expect(0, ['push', '-q', `${open.host}/team/busybox:1`, `${open.host}/for/podman`]);
    const id = await podman('pull', '-q', '--tls-verify=false', `${open.host}/for/podman`);
    expect(id).toBe(await tsrun.ok('pull', '-q', `${open.host}/team/busybox:1`));
    const name = `${open.host}/from/podman`;
    await podman('push', '-q', '--tls-verify=false', id, name);
    expect(await tsrun.ok('pull', '-q', name)).toBe(id);
    await podman('unshare', 'rm', '-rf', join(tsrun.store.directory, 'p'));
  });

  it('has another form when that is asked for: other digests, the same image', async () => {
    const from = `${open.host}/team/busybox:1`;
    const id = await tsrun.ok('pull', '-q', from);
    const to = `${open.host}/form/busybox:1`;
    const file = join(tsrun.store.directory, 'converted');
    const blobs = (): string[] =>
      readdirSync(join(tsrun.store.env.XDG_DATA_HOME!, 'tsrun/blobs/sha256')).sort();
    const before = blobs();
    const push = async (...words: string[]) => {
      await tsrun.expect(0, ['push', '-q', ...words, '--digestfile', file, from, to]);
      const bytes = await manifest(to);
      expect(readFileSync(file, 'utf8')).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
      const { mediaType, layers } = JSON.parse(bytes.toString()) as Manifest;
      return { mediaType, type: layers[0]!.mediaType, size: layers[0]!.size };
    };
    const zstd = await push('--compression-format', 'zstd');
    expect(zstd).toMatchObject({
      mediaType: OCI_MANIFEST,
      type: 'application/vnd.oci.image.layer.v1.tar+zstd',
    });
    await tsrun.ok('rmi', '-f', id);
    expect(await tsrun.ok('pull', '-q', to)).toBe(id);
    await tsrun.ok('rmi', '-f', id);
    await tsrun.ok('pull', '-q', from);
    expect(blobs()).toEqual(before);

    const fast = await push('--compression-format=gzip', '--compression-level=1', '--format=v2s2');
    expect(fast).toMatchObject({
      mediaType: DOCKER_MANIFEST,
      type: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    });
    expect((await push('--compression-level', '9')).size).toBeLessThan(fast.size);
    expect(blobs(), 'what was made for a push goes').toEqual(before);

    const refused = async (...words: string[]): Promise<string> =>
      (await tsrun.expect(125, ['push', ...words, from, to])).stderr;
    expect(await refused('--compression-format', 'zstd', '-f', 'v2s2')).toContain(
      'has no word for layers in zstd',
    );
    expect(await refused('--compression-format', 'zstd:chunked')).toContain('zstd:chunked is not supported');
    expect(await refused('--compression-level', '10')).toContain('gzip has levels 0 to 9');
  });

  it('says who may not, and what is not there', async () => {
    const from = `${open.host}/team/busybox:1`;
    const denied = await tsrun.expect(125, ['push', '--tls-verify=false', from, `${secured.host}/x/y`]);
    expect(denied.stderr).toContain(
      `registry ${secured.host} does not let anyone without a login write to x/y`,
    );
    const missing = await tsrun.expect(125, ['push', 'never-heard-of']);
    expect(missing.stderr).toContain('is not in the store');
    const elsewhere = await tsrun.expect(125, ['push', from, 'docker-daemon:x:latest']);
    expect(elsewhere.stderr).toContain('tsrun push does not write docker-daemon');
  });

  it('pushes all tags of a name', async () => {
    const from = `${open.host}/team/busybox:1`;
    await tsrun.ok('tag', from, `${open.host}/all/tags:a`);
    await tsrun.ok('tag', from, `${open.host}/all/tags:b`);
    await tsrun.expect(0, ['push', '-q', '--all-tags', `${open.host}/all/tags`]);
    expect(await manifest(`${open.host}/all/tags:a`)).toEqual(await manifest(`${open.host}/all/tags:b`));
  });
});
