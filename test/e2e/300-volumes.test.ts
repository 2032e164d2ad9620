/**
 * Volumes: made, listed, shared, filled, given away and removed. What matters is what a container sees in them, and that nothing of a
 * volume goes that somebody still uses, and all of it when nobody does.
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const run = (...words: string[]): Promise<string> => tsrun.ok('run', '--rm', '--network', 'none', ...words);
const volumes = async (): Promise<string[]> =>
  (await tsrun.ok('volume', 'ls', '-q')).split('\n').filter(Boolean);

describe('volume create', () => {
  it('prints the name, and one that is there already is as good as a new one', async () => {
    expect(await tsrun.ok('volume', 'create', '--label', 'use=test', 'data')).toBe('data');
    expect(await tsrun.ok('volume', 'create', 'data')).toBe('data');
    expect(await tsrun.ok('volume', 'create', '--label', 'use=test', 'data')).toBe('data');
    const { stderr } = await tsrun.expect(125, ['volume', 'create', '--label', 'use=other', 'data']);
    expect(stderr).toContain('ERR_TSRUN_VOLUME_EXISTS');
    expect(await tsrun.ok('volume', 'create', '--ignore', '--label', 'use=other', 'data')).toBe('data');
  });

  it('makes up a name', async () => {
    const name = await tsrun.ok('volume', 'create');
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(await tsrun.ok('volume', 'rm', name)).toBe(name);
  });

  it('binds a directory of this machine under a name', async () => {
    const directory = join(tsrun.store.directory, 'bound');
    mkdirSync(directory);
    const words = ['--opt', 'type=none', '--opt', 'o=bind,ro', '--opt', `device=${directory}`, 'bound'];
    await tsrun.ok('volume', 'create', ...words);
    writeFileSync(join(directory, 'hello'), 'from outside');
    expect(await run('-v', 'bound:/in', IMAGE, 'cat', '/in/hello')).toBe('from outside');
    const { stderr } = await tsrun.run(['run', '--rm', '-v', 'bound:/in', IMAGE, 'touch', '/in/x']);
    expect(stderr).toContain('Read-only file system');
    await tsrun.ok('volume', 'rm', 'bound');
    expect(statSync(join(directory, 'hello')).size).toBe(12); // only the name is gone
  });

  it.each([
    [['--opt', 'type=tmpfs'], '--tmpfs'],
    [
      ['--opt', 'type=nfs', '--opt', 'device=:/x', '--opt', 'o=addr=1.2.3.4'],
      'only a directory of this machine',
    ],
    [['--opt', 'size=1g'], 'type, device and o'],
    [['--driver', 'nfs'], 'local'],
    [['../x'], 'volume name'],
  ])('refuses %j', async (words, text) => {
    const { stderr } = await tsrun.expect(125, ['volume', 'create', ...words]);
    expect(stderr).toContain(text);
  });
});

describe('volume ls and inspect', () => {
  it('show what docker shows', async () => {
    expect(await tsrun.ok('volume', 'ls')).toBe('DRIVER    VOLUME NAME\nlocal     data');
    expect(await tsrun.ok('volume', 'ls', '--format', '{{.Name}} {{.Label "use"}}')).toBe('data test');
    const [data] = JSON.parse(await tsrun.ok('volume', 'inspect', 'data'));
    expect(data).toMatchObject({
      Name: 'data',
      Driver: 'local',
      Labels: { use: 'test' },
      Scope: 'local',
      Options: {},
    });
    expect(await tsrun.ok('volume', 'inspect', '-f', '{{.Mountpoint}}', 'data')).toBe(data.Mountpoint);
    expect(statSync(data.Mountpoint).isDirectory()).toBe(true);
  });

  it('filter by label, name and use', async () => {
    await tsrun.ok('create', '--name', 'user', '-v', 'used:/x', IMAGE);
    const names = (filter: string) => tsrun.ok('volume', 'ls', '-q', '--filter', filter);
    expect(await names('label=use=test')).toBe('data');
    expect(await names('label!=use')).toBe('used');
    expect(await names('name=use')).toBe('used');
    expect(await names('dangling=true')).toBe('data');
    expect(await names('dangling=false')).toBe('used');
  });

  it('exists says it by its status', async () => {
    await tsrun.expect(0, ['volume', 'exists', 'data']);
    await tsrun.expect(1, ['volume', 'exists', 'dat']);
  });
});

describe('volume rm and prune', () => {
  it('a volume that a container uses stays, unless the container may go as well', async () => {
    const { stderr } = await tsrun.expect(2, ['volume', 'rm', 'used']);
    expect(stderr).toContain('in use by user');
    expect(await tsrun.ok('volume', 'rm', '-f', 'used', 'no-such')).toBe('used');
    expect(await tsrun.ok('ps', '-aq')).toBe('');
    await tsrun.expect(1, ['volume', 'rm', 'used']);
  });

  it('prune takes anonymous ones, and all that nobody uses only with --all', async () => {
    await tsrun.ok('create', '--name', 'made', '-v', '/anonymous', '-v', 'kept:/kept', IMAGE);
    await tsrun.ok('rm', 'made');
    expect((await volumes()).length).toBe(3);
    const asked = await tsrun.expect(0, ['volume', 'prune'], { input: 'n\n' });
    expect([asked.stdout, (await volumes()).length]).toEqual(['', 3]);
    expect(await tsrun.ok('volume', 'prune', '-f')).toMatch(/^[0-9a-f]{64}$/);
    expect(await tsrun.ok('volume', 'prune', '-af', '--filter', 'label!=use')).toBe('kept');
    expect(await volumes()).toEqual(['data']);
  });

  it('files of subordinate ids are no obstacle', async () => {
    await run(
      '-v',
      'foreign:/v',
      IMAGE,
      'sh',
      '-c',
      'mkdir -m 700 /v/d; touch /v/d/f; chown -R 1000:1000 /v',
    );
    expect(await tsrun.ok('volume', 'rm', 'foreign')).toBe('foreign');
  });
});

describe('a container and its volumes', () => {
  // It failed to hide /sys/firmware and the like, which were not there any more; runc runs such an image as well.
  it('a volume over /sys is what is there', async () => {
    expect(await run('-v', '/sys', IMAGE, 'ls', '/sys')).toBe('');
  });

  it('content outlives the container, and is seen by the next one', async () => {
    await run('-v', 'data:/a', IMAGE, 'sh', '-c', 'echo kept > /a/file');
    expect(await run('--mount', 'type=volume,src=data,dst=/b,ro', IMAGE, 'cat', '/b/file')).toBe('kept');
  });

  it('the anonymous volumes of --rm go with it, and those of rm -v', async () => {
    const before = await volumes();
    await run('-v', '/anonymous', IMAGE, 'touch', '/anonymous/x');
    expect(await volumes()).toEqual(before);
    await tsrun.ok('create', '--name', 'a', '-v', '/anonymous', IMAGE);
    await tsrun.ok('rm', '-v', 'a');
    expect(await volumes()).toEqual(before);
  });

  it('a new volume begins with what the image has there; nocopy leaves it empty', async () => {
    expect(await run('-v', 'etc:/etc', IMAGE, 'ls', '/etc')).toContain('passwd');
    const seen = await run('-v', 'empty:/bin/empty:nocopy', '-v', 'etc2:/etc:nocopy', IMAGE, 'ls', '/etc');
    expect(seen).not.toContain('passwd');
  });

  it('--volumes-from mounts what the other has mounted; own mounts win; ro holds', async () => {
    await tsrun.ok('create', '--name', 'source', '-v', 'data:/a', '-v', '/anon', IMAGE);
    expect(await run('--volumes-from', 'source', IMAGE, 'cat', '/a/file')).toBe('kept');
    expect(await run('--volumes-from', 'source', '-v', 'other:/a', IMAGE, 'ls', '/a')).toBe('');
    const refused = await tsrun.run(['run', '--rm', '--volumes-from', 'source:ro', IMAGE, 'touch', '/a/x']);
    expect(refused.stderr).toContain('Read-only file system');
  });

  it('an anonymous volume stays as long as a container has it from another', async () => {
    await tsrun.ok('create', '--name', 'heir', '--volumes-from', 'source', IMAGE, 'cat', '/anon/x');
    await run('--volumes-from', 'source', IMAGE, 'sh', '-c', 'echo heritage > /anon/x');
    await tsrun.ok('rm', '-v', 'source');
    expect(await tsrun.ok('start', '-a', 'heir')).toBe('heritage');
    await tsrun.ok('rm', 'heir');
    expect(await tsrun.ok('volume', 'prune', '-f')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('U gives the volume to the user of the container', async () => {
    const owner = (...words: string[]) =>
      run('-u', '1000:1001', ...words, IMAGE, 'stat', '-c', '%u:%g', '/v');
    expect(await owner('-v', 'mine:/v')).toBe('0:0');
    expect(await owner('-v', 'mine:/v:U')).toBe('1000:1001');
    expect(await owner('--mount', 'type=volume,src=mine2,dst=/v,U=true')).toBe('1000:1001');
  });

  it('mount options reach the kernel', async () => {
    const words = ['-v', 'data:/v:noexec,nosuid,nodev,ro', '--tmpfs', '/t:size=64k,noexec'];
    const mounts = await run(...words, IMAGE, 'cat', '/proc/self/mounts');
    expect(/^\S+ \/v \S+ (\S+)/m.exec(mounts)?.[1]?.split(',')).toEqual(
      expect.arrayContaining(['ro', 'noexec', 'nosuid', 'nodev']),
    );
    expect(/^\S+ \/t \S+ (\S+)/m.exec(mounts)?.[1]).toMatch(/noexec.*size=64k/);
  });
});
