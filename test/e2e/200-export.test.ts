/** `tsrun export`: what comes out of a container, unpacked again by GNU tar, is what was in it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTar } from '../support/read-tar.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';

/** What is rare, made by a shell in a container. */
const MAKE = `
mkdir -p /data/dir /data/empty && cd /data
echo one >file && ln file hard && ln -s /etc/passwd absolute && ln -s nowhere dangling
chown 33:44 dir && chmod 2775 dir && touch -d '2001-02-03 04:05:06' file
echo x >dir/su && chmod 4755 dir/su && mkfifo pipe
echo é >"$(printf 'na\\303\\257ve \\377')"
head -c 3000000 /dev/zero >big
rm -rf /etc/group /bin/vi
d=$(printf '%0200d' 0); p=$d; for i in $(seq 14); do p=$p/$d; done
mkdir -p one/$p two/$p && echo deep >two/$p/end && mv two/$d one/$p/
`;

describe('export', () => {
  it('writes what the container has, of whatever kind', async () => {
    await tsrun.ok('run', '--name', 'made', '--network', 'none', IMAGE, 'sh', '-ec', MAKE);
    const result = await tsrun.expect(0, ['export', 'made']);
    expect(result.stderr).toBe('');
    const entries = new Map(readTar(result.output).map((entry) => [entry.path.replace(/\/$/, ''), entry]));
    const get = (path: string) => entries.get(path) ?? expect.fail(`${path} is not in the archive`);
    const [first, second] = [get('data/file'), get('data/hard')];
    expect([first.type, second.type, second.linkpath]).toEqual(['file', 'hardlink', 'data/file']);
    expect(first.content.toString()).toBe('one\n');
    expect(first.mtime).toBe(BigInt(Date.UTC(2001, 1, 3, 4, 5, 6)) * 1_000_000n);
    expect(get('data/absolute')).toMatchObject({ type: 'symlink', linkpath: '/etc/passwd' });
    expect(get('data/dangling')).toMatchObject({ type: 'symlink', linkpath: 'nowhere' });
    expect(get('data/dir')).toMatchObject({ type: 'directory', mode: 0o2775, uid: 33, gid: 44 });
    expect(get('data/dir/su')).toMatchObject({ mode: 0o4755, uid: 0 });
    expect(get('data/pipe').type).toBe('fifo');
    expect(get('data/na\xc3\xafve \xff').content.toString()).toBe('é\n');
    expect(get('data/big').content.equals(Buffer.alloc(3_000_000))).toBe(true);
    expect(entries.has('etc/group')).toBe(false);
    expect(entries.has('bin/vi')).toBe(false);
    expect(get('bin/busybox').size).toBeGreaterThan(100_000);
    const deep = [...entries.keys()].find((path) => path.endsWith('/end'));
    expect(deep).toHaveLength('data/one/'.length + 30 * 201 + 'end'.length);
    expect([...entries.keys()].filter((path) => path.startsWith('/') || path.startsWith('.'))).toEqual(
      expect.not.arrayContaining(['.']),
    );
  });

  it('of a running container reads what is there now, and disturbs nothing', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'runs',
      '-v',
      'v:/volume',
      '--network',
      'none',
      IMAGE,
      'sh',
      '-c',
      'echo a >/state; echo b >/volume/x; exec sleep 1000',
    );
    const file = join(tsrun.store.directory, 'runs.tar');
    const written = async (): Promise<boolean> =>
      (await tsrun.run(['exec', 'runs', 'cat', '/volume/x'])).stdout === 'b\n';
    await until('its files are written', written);
    await tsrun.ok('export', '-o', file, 'runs');
    const names = readTar(readFileSync(file)).map(({ path }) => path);
    expect(names).toContain('state');
    expect(names).toContain('volume/');
    expect(names.filter((name) => /^(?:proc|sys|volume)\/./.test(name))).toEqual([]);
    expect(await tsrun.ok('exec', 'runs', 'sh', '-c', 'echo c >/later && cat /state /later')).toBe('a\nc');
    await tsrun.ok('rm', '-f', '-t', '0', 'runs').catch(() => tsrun.ok('rm', '-f', 'runs'));
    await tsrun.ok('unshare', 'rm', '-rf', join(tsrun.store.root, 'volumes'));
  });

  it('never leaves the container’s root, whatever a program in it makes of its directories', async () => {
    const flip =
      'mkdir /a /a/b; while :; do mv /a/b /a/c; ln -s ../../../../../../../../etc /a/b; rm /a/b; mv /a/c /a/b; done';
    await tsrun.ok('run', '-d', '--name', 'flips', '--network', 'none', IMAGE, 'sh', '-c', flip);
    const host = readdirSync('/etc').filter(
      (name) => !['hosts', 'hostname', 'passwd', 'group'].includes(name),
    );
    for (let i = 0; i < 10; i++) {
      const result = await tsrun.run(['export', 'flips']);
      if (result.status !== 0) {
        expect(result.stderr).toContain('it was moved while it was read');
        continue;
      }
      const names = readTar(result.output).map(({ path }) => path);
      expect(names.filter((name) => host.some((h) => name.startsWith(`a/b/${h}`)))).toEqual([]);
    }
    await tsrun.ok('rm', '-f', 'flips');
  });

  it('leaves no half file behind, and says which file is to blame', async () => {
    const directory = join(tsrun.store.directory, 'out');
    mkdirSync(directory);
    writeFileSync(join(directory, 'old.tar'), 'old');
    const missing = await tsrun.expect(125, ['export', '-o', join(directory, 'old.tar'), 'nobody']);
    expect(missing.stderr).toContain('there is no container "nobody"');
    expect(readdirSync(directory)).toEqual(['old.tar']);
    const nowhere = await tsrun.expect(125, ['export', '-o', join(directory, 'no', 'x.tar'), 'made']);
    expect(nowhere.stderr).toMatch(/cannot write .*x\.tar\ncause: .*ENOENT/);
    const full = await tsrun.expect(125, ['export', '-o', '/dev/full', 'made']);
    expect(full.stderr).toMatch(/cannot write the archive\ncause: ENOSPC/);
  });

  it('gives GNU tar what it understands', async () => {
    const { output } = await tsrun.expect(0, ['export', 'made']);
    const list = execFileSync('tar', ['-tv', '--numeric-owner'], {
      input: output,
      encoding: 'latin1',
      maxBuffer: 1 << 26,
    });
    expect(list).toMatch(/drwxrwsr-x 33\/44 .* data\/dir\//);
    expect(list).toMatch(/hrw-r--r-- 0\/0 .* data\/hard link to data\/file/);
    await tsrun.ok('rm', 'made');
    expect(
      existsSync(join(tsrun.store.root, 'tmp')) ? readdirSync(join(tsrun.store.root, 'tmp')) : [],
    ).toEqual([]);
  });
});
