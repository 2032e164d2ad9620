/** -v and --read-only do what they say, seen from inside the container. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useRunOptions } from '../support/run-options.ts';
import { onTerminal } from '../support/terminal.ts';
import { BINARY, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const { inside, sh, refused } = useRunOptions(tsrun, IMAGE);
const volumes = (): string[] => {
  const directory = join(tsrun.store.root, 'volumes');
  return existsSync(directory) ? readdirSync(directory) : [];
};

describe('-v', () => {
  const page = (): string => {
    const directory = join(tsrun.store.directory, 'page');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'file'), 'of the host\n');
    return directory;
  };

  it('binds a directory, writable by the container’s root, who is the user', async () => {
    const directory = page();
    expect(
      await sh(['-v', `${directory}:/mnt/deep/er`], 'cat /mnt/deep/er/file; echo made > /mnt/deep/er/new'),
    ).toBe('of the host');
    expect(readFileSync(join(directory, 'new'), 'utf8')).toBe('made\n');
    expect(statSync(join(directory, 'new')).uid).toBe(userInfo().uid);
  });

  it('binds read-only with :ro', async () => {
    expect(
      await sh(['-v', `${page()}:/mnt:ro`], 'cat /mnt/file; touch /mnt/no 2>/dev/null || echo refused'),
    ).toBe('of the host\nrefused');
  });

  it('binds a single file', async () => {
    expect(await inside(['-v', `${page()}/file:/etc/hostfile`], 'cat', '/etc/hostfile')).toBe('of the host');
  });

  it('takes a path relative to the working directory', async () => {
    page();
    expect(await inside(['-v', './page:/mnt'], 'cat', '/mnt/file')).toBe('of the host');
    expect(
      await inside(['--mount', 'type=bind,source=page,destination=/mnt,readonly'], 'cat', '/mnt/file'),
    ).toBe('of the host');
  });

  // tsrun's own mounts below /dev found no place in the host's directory, where nobody but root makes one; and `nodev`, which
  // every bind mount of a user gets, made the devices of the host useless.
  it('of the host’s /dev brings its devices, and a terminal is one of its', async () => {
    const devices = ['-v', '/dev:/dev'];
    expect(await sh(devices, 'echo gone > /dev/null && head -c 3 /dev/zero | wc -c')).toBe('3');
    expect(await inside(['-v', '/dev/zero:/zero'], 'head', '-c', '2', '/zero')).toBe('\0\0');
    const words = ['run', '--rm', '-it', '--network', 'none', ...devices, IMAGE, 'tty'];
    const { stdout, status } = await onTerminal([BINARY, ...words], { env: tsrun.store.env }).ended;
    expect(stdout).toMatch(/^\/dev\/pts\/\d+\r\n$/);
    expect(status).toBe(0);
  });

  it('of a path that is not there is refused by name', async () => {
    expect(await refused('-v', '/no/such/place:/mnt', IMAGE, 'true')).toContain('/no/such/place');
  });

  it('of a relative word is a named volume, which outlives its containers', async () => {
    await sh(['-v', 'data:/data'], 'echo kept > /data/file');
    expect(await sh(['-v', 'data:/elsewhere'], 'cat /elsewhere/file')).toBe('kept');
    expect(volumes()).toContain('data');
  });

  it('without a source is an anonymous volume, gone with the container of --rm', async () => {
    const before = volumes();
    expect(await sh(['-v', '/data'], 'touch /data/x && grep " /data " /proc/mounts | wc -l')).toBe('1');
    expect(volumes()).toEqual(before);
  });

  it('rm keeps an anonymous volume, rm -v removes it', async () => {
    const before = volumes().length;
    for (const name of ['keeps', 'removes'])
      await tsrun.ok('create', '--name', name, '-v', '/data', IMAGE, 'true');
    expect(volumes()).toHaveLength(before + 2);
    await tsrun.ok('rm', 'keeps');
    expect(volumes()).toHaveLength(before + 2);
    await tsrun.ok('rm', '-v', 'removes');
    expect(volumes()).toHaveLength(before + 1);
  });

  it('a new volume begins with what the image has there, owners and links included', async () => {
    const script = 'ls -A /etc | sort';
    const image = await sh([], `${script}; stat -c %a /etc`);
    const own = await sh(['-v', 'etc:/copy', '-v', '/etc'], `${script}; stat -c %a /etc`);
    // hosts, hostname and resolv.conf are mounted on files in it
    expect(own.split('\n').filter((name) => !/^(hosts|hostname|resolv.conf)$/.test(name))).toEqual(
      image.split('\n').filter((name) => !/^(hosts|hostname|resolv.conf)$/.test(name)),
    );
    expect(await sh(['-v', 'empty:/etc:nocopy'], 'ls -A /etc | grep -v -e host -e resolv | wc -l')).toBe('0');
  });

  it('a volume that another user of the container owns can be used again', async () => {
    await sh(
      ['-v', 'private:/data'],
      'chmod 700 /data; chown 33:33 /data; echo x > /data/file; chown 33 /data/file',
    );
    expect(await sh(['-v', 'private:/data'], 'stat -c %u:%a /data; cat /data/file')).toBe('33:700\nx');
  });

  it('--tmpfs mounts a file system in memory, of that size and mode', async () => {
    const output = await sh(
      ['--tmpfs', '/scratch:size=1m,mode=700,noexec'],
      'grep " /scratch " /proc/mounts; stat -c %a /scratch',
    );
    expect(output).toMatch(/tmpfs \/scratch tmpfs .*noexec.*size=1024k,mode=700/);
    expect(output).toMatch(/700$/);
  });

  it('mounts do not show in the host’s mount table, nor do the host’s later ones in the container', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'mounts',
      '--network',
      'none',
      '-v',
      `${page()}:/mnt`,
      IMAGE,
      'sleep',
      '1000',
    );
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(tsrun.store.directory);
    expect(await tsrun.ok('exec', 'mounts', 'grep', '-c', ' /mnt ', '/proc/mounts')).toBe('1');
    await tsrun.ok('rm', '-f', 'mounts');
  });
});

describe('--read-only', () => {
  it('nothing can be written but in /tmp, /run, /var/tmp, /dev/shm and volumes', async () => {
    const script =
      'for d in / /etc /usr/bin /root /tmp /run /var/tmp /dev/shm /data; do touch $d/x 2>/dev/null && echo -n "$d "; done; true';
    expect((await sh(['--read-only', '-v', '/data'], script)).trim().split(' ').sort()).toEqual([
      '/data',
      '/dev/shm',
      '/run',
      '/tmp',
      '/var/tmp',
    ]);
  });
});

describe('links of the host', () => {
  it('a bind source that is a link is followed, as the user would', async () => {
    mkdirSync(join(tsrun.store.directory, 'target'), { recursive: true });
    writeFileSync(join(tsrun.store.directory, 'target', 'f'), 'linked\n');
    symlinkSync('target', join(tsrun.store.directory, 'alias'));
    expect(await inside(['-v', './alias:/mnt'], 'cat', '/mnt/f')).toBe('linked');
  });
});
