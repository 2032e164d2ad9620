/**
 * What `run` and `create` can be told about a container: its environment, its user namespace, what it shares with the host, devices.
 * Where there is another engine's word on it, the values are podman's.
 */
import { readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const run = (...words: string[]): Promise<string> => tsrun.ok('run', '--rm', '--network', 'none', ...words);
const own = userInfo();
const readLink = (name: string): string => readlinkSync(`/proc/self/ns/${name}`);

describe('--userns keep-id', () => {
  it('runs as the user, with a name, a home and the ids of here', async () => {
    const script = 'id; echo $HOME; whoami; cat /proc/self/uid_map';
    const [id, home, name, ...map] = (
      await run('--userns', 'keep-id', '-w', '/work', IMAGE, 'sh', '-c', script)
    ).split('\n');
    expect(id).toContain(`uid=${own.uid}(${own.username}) gid=${own.gid}(${own.username})`);
    expect([home, name]).toEqual(['/work', own.username]);
    expect(map.map((line) => line.trim().split(/\s+/)).some(([inside]) => Number(inside) === own.uid)).toBe(
      true,
    );
  });

  it('a bind mount is read and written as by the user himself', async () => {
    const { directory } = tsrun.store;
    writeFileSync(join(directory, 'mine'), 'hello', { mode: 0o600 });
    const script = 'cat /d/mine; touch /d/new; stat -c %u:%g /d/new';
    expect(await run('--userns=keep-id', '-v', `${directory}:/d`, IMAGE, 'sh', '-c', script)).toBe(
      `hello${own.uid}:${own.gid}`,
    );
    const made = statSync(join(directory, 'new'));
    expect([made.uid, made.gid]).toEqual([own.uid, own.gid]);
  });

  it('the image’s files belong to whom the image says', async () => {
    expect(await run('--userns=keep-id', IMAGE, 'stat', '-c', '%u:%g', '/bin/busybox', '/etc/passwd')).toBe(
      '0:0\n0:0',
    );
    const script = 'touch /root-made; chown 33:44 /root-made; stat -c %u:%g /root-made';
    expect(await run('--userns=keep-id', '-u', '0', IMAGE, 'sh', '-c', script)).toBe('33:44');
  });

  it('auto: each container has ids that no other has, however many are made at once', async () => {
    const names = ['auto1', 'auto2', 'auto3', 'auto4'];
    const script = 'cat /proc/self/uid_map; stat -c %u /bin/busybox; echo kept > /root/file';
    await Promise.all(
      names.map((name) =>
        tsrun.ok(
          'create',
          '--userns=auto:size=2000',
          '--network',
          'none',
          '--name',
          name,
          IMAGE,
          'sh',
          '-c',
          script,
        ),
      ),
    );
    const outputs: string[] = [];
    for (const name of names) outputs.push(await tsrun.ok('start', '-a', name));
    const maps = outputs.map((output) => output.trim().split(/\s+/));
    expect(maps.map(([inside, , size, owner]) => [inside, size, owner])).toEqual(
      names.map(() => ['0', '2000', '0']),
    );
    const starts = maps.map(([, outside]) => Number(outside)).sort((a, b) => a - b);
    for (const [i, start] of starts.slice(1).entries())
      expect(start - (starts[i] ?? 0)).toBeGreaterThanOrEqual(2000);
    expect(await tsrun.ok('inspect', '-f', '{{.HostConfig.UsernsMode}}', 'auto1')).toBe('auto');
    await tsrun.ok('rm', ...names);
    // What was theirs is free again.
    expect(await run('--userns=auto', IMAGE, 'sh', '-c', script)).toContain(' 1024\n0');
  });

  it('uid= and gid= choose other ids; exec and start again have them, too', async () => {
    const words = ['--userns', 'keep-id:uid=200,gid=210', '--network', 'none', '--name', 'kept'];
    await tsrun.ok('run', '-d', '--init', ...words, IMAGE, 'sh', '-c', 'touch /tmp/x; sleep 1000');
    await until(
      'its file',
      async () => (await tsrun.run(['exec', 'kept', 'test', '-e', '/tmp/x'])).status === 0,
    );
    expect(await tsrun.ok('exec', 'kept', 'id', '-u')).toBe('200');
    expect(await tsrun.ok('exec', 'kept', 'id', '-g')).toBe('210');
    expect(
      await tsrun.ok(
        'exec',
        '-u',
        '0',
        'kept',
        'sh',
        '-c',
        'echo x > /root-file; stat -c %u /root-file /tmp/x',
      ),
    ).toBe('0\n200');
    await tsrun.ok('stop', '-t', '0', 'kept');
    await tsrun.ok('start', 'kept');
    expect(await tsrun.ok('exec', 'kept', 'stat', '-c', '%u', '/tmp/x', '/root-file')).toBe('200\n0');
    await tsrun.ok('rm', '-f', 'kept');
  });

  it('a new volume has the image’s content, and its owners', async () => {
    expect(await run('--userns=keep-id', '-v', 'etc:/etc', IMAGE, 'stat', '-c', '%u', '/etc/passwd')).toBe(
      '0',
    );
  });

  it('works on a terminal, and with a network', async () => {
    const words = [
      'run',
      '--rm',
      '-t',
      '--userns=keep-id',
      IMAGE,
      'sh',
      '-c',
      'tty; id -u; ip -4 addr show lo | grep -c inet',
    ];
    const { stdout } = await tsrun.expect(0, words);
    expect(stdout.split('\r\n').slice(0, 3)).toEqual(['/dev/pts/0', String(own.uid), '1']);
  });

  it('what is mounted for the container belongs to its root', async () => {
    expect(
      await run('--userns=keep-id', '--tmpfs', '/t', IMAGE, 'stat', '-c', '%u:%g', '/dev', '/dev/shm', '/t'),
    ).toBe('0:0\n0:0\n0:0');
  });

  it('its streams can be opened again', async () => {
    expect(await run('--userns=keep-id', IMAGE, 'sh', '-c', 'echo out > /dev/stdout')).toBe('out');
  });
});

describe('other user namespaces', () => {
  it('nomap: nobody inside is the user', async () => {
    const { directory } = tsrun.store;
    expect(
      await run('--userns=nomap', '-v', `${directory}:/d`, IMAGE, 'sh', '-c', 'id -u; stat -c %u /d'),
    ).toBe('0\n65534');
    expect(
      await run('--userns=nomap', IMAGE, 'sh', '-c', 'echo out > /dev/stdout; stat -c %u /bin/busybox'),
    ).toBe('out\n0');
  });

  it('--uidmap and --gidmap say each id', async () => {
    const map = await run(
      '--uidmap',
      '0:1:500',
      '--uidmap',
      '500:0:1',
      IMAGE,
      'cat',
      '/proc/self/uid_map',
      '/proc/self/gid_map',
    );
    const lines = map.split('\n').map((line) => line.trim().split(/\s+/));
    expect(lines.map(([inside, , size]) => [inside, size])).toEqual([
      ['0', '500'],
      ['500', '1'],
      ['0', '500'],
      ['500', '1'],
    ]);
  });

  it.each([
    [['--userns=auto:uid=1'], '"uid=1" is none of size='],
    [['--userns=auto:size=0'], 'at least one id'],
    [['--userns=auto:size=99999999'], 'no 99999999 in a row are free'],
    [['--userns=auto', '--uidmap', '0:1:10'], 'contradict'],
    [['--userns=container:x'], 'not supported'],
    [['--userns=keep-id:user=1'], 'none of uid=, gid=, size='],
    [['--uidmap', '0:0:99999999'], 'there are only'],
    [['--uidmap', '0:1:10', '--uidmap', '5:20:10'], 'overlap'],
    [['--userns=keep-id', '--storage-driver', 'copy'], 'fuse-overlayfs'],
    [['--userns=keep-id', '--uidmap', '0:1:10'], 'contradict'],
  ])('refuses %j', async (words, text) => {
    const { stderr } = await tsrun.expect(125, ['run', '--rm', '--network', 'none', ...words, IMAGE, 'true']);
    expect(stderr).toContain(text);
  });
});

describe('the environment', () => {
  it('--env-host is weaker than the image, --env-file and -e are stronger', async () => {
    const file = join(tsrun.store.directory, 'env');
    writeFileSync(file, '# comment\nFROM_FILE=1\nBOTH=file\n');
    const words = ['--env-host', '--env-file', file, '-e', 'BOTH=word', IMAGE, 'env'];
    const { stdout } = await tsrun.expect(0, ['run', '--rm', '--network', 'none', ...words], {
      env: { FROM_HOST: 'here', FROM_FILE: 'not this' },
    });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['FROM_HOST=here', 'FROM_FILE=1', 'BOTH=word']),
    );
  });

  it('--http-proxy passes on the proxies of here, and nothing else; without it nothing', async () => {
    const env = { http_proxy: 'http://proxy:3128', NO_PROXY: 'localhost', FROM_HOST: 'here' };
    const words = (...options: string[]): string[] => [
      'run',
      '--rm',
      '--network',
      'none',
      ...options,
      IMAGE,
      'env',
    ];
    const { stdout } = await tsrun.expect(0, words('--http-proxy'), { env });
    expect(stdout).toMatch(/^http_proxy=http:\/\/proxy:3128$/m);
    expect(stdout).toMatch(/^NO_PROXY=localhost$/m);
    expect(stdout).not.toContain('FROM_HOST');
    expect((await tsrun.expect(0, words('--http-proxy=false'), { env })).stdout).not.toMatch(/proxy/i);
  });

  it('--unsetenv and --unsetenv-all leave out what was not asked for', async () => {
    expect(await run('--unsetenv', 'container', IMAGE, 'env')).not.toContain('container=');
    expect(await run('--unsetenv-all', '-e', 'A=1', IMAGE, '/bin/busybox', 'env')).toBe('A=1');
  });
});

describe('what is shared with the host, and what is not', () => {
  it('--uts host and --ipc host', async () => {
    expect(await run('--uts', 'host', IMAGE, 'hostname')).toBe(hostname());
    expect(await run('--ipc', 'host', IMAGE, 'readlink', '/proc/self/ns/ipc')).toBe(readLink('ipc'));
    expect(await run(IMAGE, 'readlink', '/proc/self/ns/ipc')).not.toBe(readLink('ipc'));
  });

  it('--sysctl of its own namespaces; others are refused by name', async () => {
    const words = ['--sysctl', 'net.ipv4.ip_default_ttl=33', '--sysctl', 'kernel.shmmni=77'];
    const script = 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmni';
    expect(await run(...words, IMAGE, 'sh', '-c', script)).toBe('33\n77');
    for (const bad of [
      ['--sysctl', 'vm.swappiness=1'],
      ['--network', 'host', '--sysctl', 'net.ipv4.ip_forward=1'],
    ]) {
      const { stderr } = await tsrun.expect(125, ['run', '--rm', ...bad, IMAGE, 'true']);
      expect(stderr).toMatch(/whole machine|no namespace of its own/);
    }
  });

  it('--device gives what is there, under another name if asked', async () => {
    const script = 'test -c /dev/fuse && head -c 4 /dev/nil | wc -c';
    expect(
      await run('--device', '/dev/fuse', '--device', '/dev/zero:/dev/nil:rwm', IMAGE, 'sh', '-c', script),
    ).toBe('4');
    for (const [device, text] of [
      ['/dev/no-such', 'no /dev/no-such on this machine'],
      ['/etc/passwd', 'is no device'],
      ['/dev/null:r', 'cannot be had'],
    ]) {
      const { stderr } = await tsrun.expect(125, ['run', '--rm', '--device', device ?? '', IMAGE, 'true']);
      expect(stderr).toContain(text);
    }
  });

  it('--security-opt masks and unmasks single paths of /proc and /sys', async () => {
    const words = (kernel: string) =>
      run('--security-opt', kernel, IMAGE, 'sh', '-c', 'cat /proc/meminfo /proc/keys | wc -l');
    expect(await words('mask=/proc/meminfo')).toBe('0');
    expect(Number(await words('unmask=/proc/keys:/proc/asound'))).toBeGreaterThan(10);
    const { stderr } = await tsrun.expect(125, [
      'run',
      '--rm',
      '--security-opt',
      'mask=/etc/passwd',
      IMAGE,
      'true',
    ]);
    expect(stderr).toContain('only paths of /proc and /sys');
  });

  it('--umask, --domainname and --annotation', async () => {
    const words = [
      '--umask',
      '0077',
      '--domainname',
      'example',
      '--annotation',
      'a=b',
      '--name',
      'annotated',
    ];
    const script = 'umask; cat /proc/sys/kernel/domainname';
    expect(await tsrun.ok('run', '--network', 'none', ...words, IMAGE, 'sh', '-c', script)).toBe(
      '0077\nexample',
    );
    expect(await tsrun.ok('inspect', '-f', '{{json .HostConfig.Annotations}}', 'annotated')).toBe(
      '{"a":"b"}',
    );
  });

  it('--read-only-tmpfs=false leaves nothing writable', async () => {
    const words = ['run', '--rm', '--network', 'none', '--read-only'];
    await tsrun.expect(0, [...words, IMAGE, 'touch', '/tmp/x']);
    await tsrun.expect(1, [...words, '--read-only-tmpfs=false', IMAGE, 'touch', '/tmp/x']);
  });
});

describe('--replace', () => {
  it('takes the place of the container that has the name, running or not, and its port', async () => {
    const options = ['-d', '--init', '--replace', '--name', 'one', '--network', 'none'];
    const start = () => tsrun.ok('run', ...options, IMAGE, 'sleep', '100');
    const first = await start();
    const second = await start();
    expect(second).not.toBe(first);
    expect(await tsrun.ok('ps', '-aq', '--no-trunc', '--filter', 'name=^one$')).toBe(second);
    await tsrun.expect(125, ['create', '--name', 'one', IMAGE]);
    await tsrun.ok('rm', '-f', 'one');
  });
});

describe('--cidfile, --pidfile and --conmon-pidfile', () => {
  it('are written, and an old cidfile is not overwritten', async () => {
    const [cid, pid, supervisor] = ['cid', 'pid', 'supervisor'].map((name) =>
      join(tsrun.store.directory, name),
    );
    const words = [
      'run',
      '-d',
      '--init',
      '--network',
      'none',
      '--cidfile',
      cid ?? '',
      '--pidfile',
      pid ?? '',
      '--conmon-pidfile',
      supervisor ?? '',
      IMAGE,
      'sleep',
      '1000',
    ];
    const id = await tsrun.ok(...words);
    expect(readFileSync(cid ?? '', 'utf8')).toBe(id);
    const written = (): string =>
      `${readFileSync(pid ?? '', 'utf8')} ${readFileSync(supervisor ?? '', 'utf8')}`;
    const pids = (): Promise<string> =>
      tsrun.ok('inspect', '-f', '{{.State.Pid}} {{.State.SupervisorPid}}', id);
    expect(written()).toBe(await pids());
    await tsrun.expect(125, words);
    const before = written();
    await tsrun.ok('restart', '-t', '0', id);
    expect(written()).toBe(await pids());
    expect(written()).not.toBe(before);
    await tsrun.ok('rm', '-f', id);
  });

  /** The file kept the pid of the first life: nothing of tsrun but the supervisor is there when a restart policy makes the next. */
  it('the pidfile is there before the command runs, and tells of each life that a restart policy gives', async () => {
    const pidfile = join(tsrun.store.directory, 'lives');
    const command =
      'cat /at/lives; echo; test $(ls /at/past* | wc -l) -ge 3 && exec sleep 1000; cp /at/lives /at/past$(cat /at/lives); exit 1';
    const at = `${tsrun.store.directory}:/at`;
    const words = ['--restart', 'on-failure', '--pidfile', pidfile, '-v', at, IMAGE, 'sh', '-c', command];
    await tsrun.ok('run', '-d', '--name', 'lives', '--network', 'none', ...words);
    const lives = async (): Promise<string[]> => (await tsrun.ok('logs', 'lives')).match(/^\d+$/gm) ?? [];
    await until('three lives are over', async () => (await lives()).length === 4);
    const pids = await lives();
    expect(new Set(pids).size).toBe(4);
    expect(await tsrun.ok('inspect', '-f', '{{.State.Pid}}', 'lives')).toBe(pids.at(-1));
    expect(readFileSync(pidfile, 'utf8')).toBe(pids.at(-1));
    await tsrun.ok('rm', '-f', 'lives');
  });

  it('a pidfile that cannot be written is told of, and the container runs', async () => {
    const words = ['run', '--rm', '--network', 'none', '--pidfile', '/nowhere/pid', IMAGE, 'echo', 'runs'];
    const { stdout, stderr } = await tsrun.expect(0, words);
    expect(stdout).toBe('runs\n');
    expect(stderr).toMatch(/pid \d+ could not be written: .*\/nowhere\/pid/);
  });
});
