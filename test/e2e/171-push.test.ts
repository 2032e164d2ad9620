/** Round trips: what tsrun pushes is what it pulled, also for podman and skopeo. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
