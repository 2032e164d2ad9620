/**
 * What a container cannot do, and what an image cannot make tsrun do (SEC-*, AC-3.5, AC-7.*). Each test names the promise, or the
 * vulnerability of another engine that it guards against.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerPids, networkHelper } from '../support/container-processes.ts';
import { pushDerived } from '../support/derived-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { directory, file, symlink, tarArchive, tarEntry } from '../support/tar-builder.ts';
import { onTerminal } from '../support/terminal.ts';
import { BINARY, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const NATIVE = join(import.meta.dirname, '..', '..', 'dist', 'native');

const run = (options: readonly string[], script: string, image = IMAGE): Promise<string> =>
  tsrun.ok('run', '--rm', '--network', 'none', ...options, image, 'sh', '-c', script);

let registry: Registry;
/** A directory of the host with something in it that no container may see or lose. */
let precious: string;

beforeAll(async () => {
  registry = await startRegistry();
  precious = join(tsrun.store.directory, 'precious');
  mkdirSync(precious);
  writeFileSync(join(precious, 'secret'), 'of the host\n');
  await tsrun.ok('run', '-d', '--network', 'none', '--name', 'target', IMAGE, 'sleep', '1000');
});
afterAll(() => registry[Symbol.asyncDispose]());

/** The fields of /proc/self/status that say what a process may do. */
function rights(status: string): Record<string, string> {
  const found = [...status.matchAll(/^(Cap\w+|NoNewPrivs|Seccomp):\s+(\w+)$/gm)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value.replace(/^0+(?=.)/, '')]));
}

/** Capabilities 0 1 3 4 5 6 7 8 10 18 31: podman's eleven. */
const ELEVEN = '800405fb';
const NOTHING = { CapInh: '0', CapPrm: '0', CapEff: '0', CapAmb: '0' };

describe('capabilities, seccomp, no_new_privs (CVE-2022-29162, AC-7.6)', () => {
  const all = { CapPrm: ELEVEN, CapEff: ELEVEN, CapBnd: ELEVEN };
  const table: [options: string[], wanted: Record<string, string>][] = [
    [[], { ...NOTHING, ...all, Seccomp: '2', NoNewPrivs: '0' }],
    [['--init'], { ...NOTHING, ...all, Seccomp: '2' }],
    [['-u', '1000:1000'], { ...NOTHING, CapBnd: ELEVEN, Seccomp: '2' }],
    [['--cap-drop', 'ALL'], { ...NOTHING, CapBnd: '0' }],
    [['--cap-drop', 'ALL', '--cap-add', 'CHOWN'], { ...NOTHING, CapPrm: '1', CapEff: '1', CapBnd: '1' }],
    [['--cap-add', 'NET_RAW'], { CapBnd: '800425fb' }],
    [['--cap-drop', 'cap_chown'], { CapBnd: '800405fa' }],
    [['--security-opt', 'no-new-privileges'], { NoNewPrivs: '1', Seccomp: '2' }],
    [['--security-opt', 'seccomp=unconfined'], { Seccomp: '0', CapBnd: ELEVEN }],
  ];
  it.each(table)('run %j', async (options, wanted) => {
    expect(rights(await run(options, 'cat /proc/self/status'))).toMatchObject(wanted);
  });

  it('exec has the container’s, and -u of another user none', async () => {
    const status = (...words: string[]) => tsrun.ok('exec', ...words, 'target', 'cat', '/proc/self/status');
    expect(rights(await status())).toMatchObject({ ...NOTHING, ...all, Seccomp: '2' });
    expect(rights(await status('-u', '1000'))).toMatchObject({ ...NOTHING, CapBnd: ELEVEN, Seccomp: '2' });
  });

  it('--privileged is all that the user namespace has, and no more', async () => {
    const { CapEff, Seccomp } = rights(await run(['--privileged'], 'cat /proc/self/status'));
    expect(CapEff).toMatch(/^1f{10,}$/);
    expect(Seccomp).toBe('0');
    expect(await run(['--privileged'], 'echo 1 > /proc/sys/vm/drop_caches 2>/dev/null || echo refused')).toBe(
      'refused',
    );
  });

  it('the filter refuses what the profile does not allow', async () => {
    expect(await run([], 'unshare -r true 2>&1 || echo refused')).toMatch(/refused/);
    expect(await run([], 'mount -t tmpfs none /mnt 2>&1 || echo refused')).toMatch(/refused/);
  });
});

describe('descriptors (CVE-2024-21626, AC-7.2)', () => {
  /** What the command's descriptors are, but for the one that `ls` opens itself. */
  const LIST =
    'ls -l /proc/self/fd | sed -n "s/.* \\([0-9]*\\) -> \\(.*\\)/\\1 \\2/p" | grep -v "/proc/[0-9]*/fd"';
  const numbers = (output: string): string[] =>
    output
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(' ')[0] ?? '');

  it.each([[[]], [['-i']], [['--init']], [['-u', '1000']]])('run %j: 0, 1 and 2', async (options) => {
    expect(numbers(await run(options, LIST))).toEqual(['0', '1', '2']);
  });

  it('run -t and exec -t: 0, 1 and 2, all the container’s own terminal', async () => {
    for (const words of [
      ['run', '--rm', '--network', 'none', '-it', IMAGE],
      ['exec', '-it', 'target'],
    ]) {
      const { ended } = onTerminal([BINARY, ...words, 'sh', '-c', 'ls -l /proc/self/fd'], {
        env: tsrun.store.env,
      });
      const found = [...(await ended).stdout.matchAll(/ (\d+) -> (\S+)/g)].map(([, fd, path]) => [fd, path]);
      expect(found.filter(([, path]) => !/^\/proc\//.test(path ?? ''))).toEqual([
        ['0', '/dev/pts/0'],
        ['1', '/dev/pts/0'],
        ['2', '/dev/pts/0'],
      ]);
    }
  });

  it('exec: 0, 1 and 2', async () => {
    expect(numbers(await tsrun.ok('exec', 'target', 'sh', '-c', LIST))).toEqual(['0', '1', '2']);
  });

  it.each(['run', 'exec'])('%s: descriptors that tsrun was given stay outside', async (verb) => {
    const secret = openSync(join(precious, 'secret'), 'r');
    const host = openSync('/', 'r');
    const words = verb === 'run' ? ['run', '--rm', '--network', 'none', IMAGE] : ['exec', 'target'];
    const child = spawn(BINARY, [...words, 'sh', '-c', LIST], {
      env: tsrun.store.env,
      stdio: ['ignore', 'pipe', 'inherit', secret, host, secret, host, host],
    });
    expect(numbers(await text(child.stdout!))).toEqual(['0', '1', '2']);
  });

  it.each(['/proc/self/fd/7', '/proc/self/fd/3/../../..', '/proc/1/cwd', '/proc/self/root/../..'])(
    'a working directory %s is not a way out',
    async (workdir) => {
      const reference = await pushDerived(registry.host, 'workdir', [tarArchive(file('layer', workdir))], {
        WorkingDir: workdir,
      });
      for (const words of [
        ['run', '--rm', '--network', 'none', reference],
        ['run', '--rm', '--network', 'none', '-w', workdir, IMAGE],
        ['exec', '-w', workdir, 'target'],
      ]) {
        const { status, stdout } = await tsrun.run([
          ...words,
          'sh',
          '-c',
          `ls ..; ls; cat ${precious}/secret ../..${precious}/secret`,
        ]);
        expect(stdout).not.toMatch(/of the host|vmlinuz|lost\+found/);
        if (workdir === '/proc/self/fd/7') expect(status).toBe(126);
      }
      await tsrun.ok('rmi', reference);
    },
  );
});

describe('the host', () => {
  it('has no file system in the container', async () => {
    expect(
      await run(
        [],
        `cat ${precious}/secret /proc/1/root${precious}/secret 2>/dev/null; ls ${tsrun.store.root} 2>/dev/null; ls -d /../precious 2>/dev/null; true`,
      ),
    ).toBe('');
    const mounts = (await run([], 'cat /proc/self/mountinfo')).split('\n').map((line) => line.split(' ')[4]);
    const known = /^\/(proc|dev|sys|etc\/(hosts|hostname|resolv\.conf))?(\/|$)/;
    expect(mounts.filter((place) => !known.test(place ?? ''))).toEqual([]);
  });

  it('has no processes in the container', async () => {
    const pids = (await run([], 'ls -d /proc/[0-9]*')).split('\n');
    expect(pids.length).toBeLessThanOrEqual(2);
  });

  it('shows nothing of its cgroups', async () => {
    expect((await run([], 'cut -d: -f3 /proc/self/cgroup | sort -u')).split('\n')).toEqual(['/']);
  });

  it('has only harmless devices in the container', async () => {
    const wanted =
      'console core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero';
    const found = (await run([], 'ls /dev'))
      .split('\n')
      .filter((name) => !['console', 'core'].includes(name));
    expect(found.filter((name) => !wanted.split(' ').includes(name))).toEqual([]);
    expect(await run([], 'mknod /tmp/sda b 8 0 2>&1 || echo refused')).toMatch(/refused/);
  });

  it('has a terminal that the container does not get: its own is of its own devpts (AC-7.13)', async () => {
    const { stdout } = await onTerminal(
      [BINARY, 'run', '--rm', '-it', '--network', 'none', IMAGE, 'sh', '-c', 'tty; ls -1 /dev/pts'],
      {
        env: tsrun.store.env,
      },
    ).ended;
    expect(stdout.split('\r\n').slice(0, 3)).toEqual(['/dev/pts/0', '0', 'ptmx']);
  });

  it('hides what belongs to the machine, and lets nothing of /proc and /sys be written', async () => {
    const script = `
      for f in /proc/kcore /proc/keys /proc/timer_list /proc/latency_stats /proc/sched_debug /proc/interrupts; do
        [ ! -e $f ] || [ "$(head -c 1 $f | wc -c)" = 0 ] || echo "readable $f"; done
      for d in /proc/acpi /proc/scsi /proc/asound /sys/firmware; do [ ! -d $d ] || [ -z "$(ls -A $d)" ] || echo "listed $d"; done
      for f in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/mm/ksm/run; do
        [ ! -e $f ] || ! (: > $f) 2>/dev/null || echo "writable $f"; done
      for d in /proc /sys /proc/sys /sys/fs/cgroup; do ! mkdir $d/x 2>/dev/null || echo "made in $d"; done`;
    expect(await run([], script)).toBe('');
    expect(await run(['-u', '1000'], script)).toBe('');
  });
});

describe('the programs of tsrun', () => {
  const hashes = (): string[] =>
    readdirSync(NATIVE, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'));

  it('cannot be overwritten through /proc/PID/exe of a process that enters (CVE-2019-5736, AC-7.1)', async () => {
    const before = hashes();
    // In the container: whoever appears is tried at once, over and over. `exec` of a script whose interpreter is /proc/self/exe makes
    // the entering process execute itself.
    const attack = `
      trap 'stop=1' USR1
      while [ ! "$stop" ]; do for p in /proc/[0-9]*; do
        [ "$p" != /proc/1 ] || continue
        if dd if=/bin/sh of=$p/exe conv=notrunc bs=1 count=1 2>/dev/null; then echo "wrote $p/exe"; fi
      done; done; echo tried`;
    await tsrun.ok('run', '-d', '--network', 'none', '--name', 'attacker', IMAGE, 'sh', '-c', attack);
    await tsrun.ok('exec', 'attacker', 'sh', '-c', 'printf "#!/proc/self/exe\\n" > /evil; chmod 755 /evil');
    for (let i = 0; i < 10; i++) {
      await tsrun.run(['exec', 'attacker', '/evil']);
      await tsrun.expect(0, ['exec', 'attacker', 'true']);
    }
    // Not by a command in the container: when the attacker ends, what runs beside it is killed, and that may be the command itself.
    await tsrun.ok('kill', '-s', 'USR1', 'attacker');
    await tsrun.ok('wait', 'attacker');
    expect(await tsrun.ok('logs', 'attacker')).toBe('tried');
    expect(hashes()).toEqual(before);
    await tsrun.ok('rm', '-f', 'attacker');
  });

  it.each(['pasta', 'slirp4netns'])('%s runs with a seccomp filter of its own (AC-7.14)', async (network) => {
    await tsrun.ok('run', '-d', '--name', network, '--network', network, IMAGE, 'sleep', '1000');
    const helper = networkHelper((await containerPids(tsrun, network)).supervisor);
    expect(readFileSync(`/proc/${helper?.pid}/status`, 'utf8')).toMatch(/^Seccomp:\s+2$/m);
    await tsrun.ok('rm', '-f', network);
  });
});

describe('the host’s loopback (AC-3.5)', () => {
  it.each(['pasta', 'slirp4netns', 'private'])('cannot be reached with --network %s', async (network) => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      response.end('reached');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const script = `
      addresses="127.0.0.1 127.0.0.53 10.0.2.2 169.254.1.1 $(ip route | sed -n 's/.*via \\([0-9.]*\\).*/\\1/p') $(ip -4 -o address | sed -n 's/.*inet \\([0-9.]*\\).*/\\1/p')
        $(sed -n 's/nameserver //p' /etc/resolv.conf | grep -v :)"
      for a in $addresses; do { timeout 2 wget -qO- http://$a:${port}/ 2>/dev/null; echo "tried $a"; } & done; wait`;
    const output = await tsrun.ok('run', '--rm', '--network', network, IMAGE, 'sh', '-c', script);
    server.close();
    expect(output.match(/tried/g)?.length).toBeGreaterThan(4);
    expect(output).not.toContain('reached');
    expect(asked).toBe(0);
  });
});

describe('a hostile image', () => {
  it('with /etc/passwd that leads to the host’s names no user of the host (CVE-2024-1753’s kin, AC-7.9)', async () => {
    writeFileSync(join(precious, 'passwd'), 'hostuser:x:4242:4242::/:/bin/sh\n');
    writeFileSync(join(precious, 'group'), 'hostgroup:x:4343:\n');
    const reference = await pushDerived(registry.host, 'passwd', [
      tarArchive(
        symlink('etc/passwd', `${precious}/passwd`),
        symlink('etc/group', `../../../../../../../../..${precious}/group`),
      ),
    ]);
    for (const user of ['hostuser', '0:hostgroup']) {
      const { status, stderr } = await tsrun.run([
        'run',
        '--rm',
        '--network',
        'none',
        '-u',
        user,
        reference,
        'id',
      ]);
      expect([status, stderr]).toEqual([125, expect.stringContaining(user.split(':').at(-1)!)]);
    }
  });

  it.each([
    ['a link to itself', symlink('etc/passwd', 'passwd')],
    ['a FIFO', tarEntry({ name: 'etc/passwd', type: '6', mode: 0o644 })],
    ['a directory', directory('etc/passwd')],
    ['2 MiB', file('etc/passwd', 'x'.repeat(2 << 20))],
    ['/proc/self/environ', symlink('etc/passwd', '/proc/self/environ')],
    ['no text', file('etc/passwd', Buffer.from([0xff, 0xfe, 0, 10, 58, 58, 10]))],
  ])('with /etc/passwd that is %s: root starts, and a name is refused', async (_what, entry) => {
    const reference = await pushDerived(registry.host, 'passwd-kind', [
      tarArchive(tarEntry({ name: 'etc/.wh.passwd' })),
      tarArchive(entry),
    ]);
    const words = ['run', '--rm', '--network', 'none', '--pull', 'always'];
    expect((await tsrun.expect(0, [...words, reference, 'echo', 'up'])).stdout).toBe('up\n');
    const { stderr } = await tsrun.expect(125, [...words, '-u', 'somebody', reference, 'true']);
    expect(stderr).toContain('the image has no user "somebody"');
  });

  it('whose directories are links of its own cannot have mounts made outside of it (CVE-2021-30465, AC-7.4)', async () => {
    const outside = join(tsrun.store.directory, 'outside');
    mkdirSync(outside);
    const reference = await pushDerived(registry.host, 'links', [
      tarArchive(
        symlink('abs', outside),
        symlink('up', '../../../../../../../../tmp'),
        symlink('etc-link', '/etc'),
        symlink('dev', outside),
      ),
    ]);
    const words = [
      '-v',
      `${precious}:/abs/made`,
      '-v',
      `${precious}:/up/made`,
      '-v',
      `${precious}:/etc-link/made`,
      '-w',
      '/abs/work',
    ];
    const script = `cat /abs/made/secret /tmp/made/secret /etc/made/secret ${outside}/made/secret; pwd -P; ls -d /dev/null`;
    const output = await run(words, script, reference);
    expect(output.split('\n')).toEqual([
      ...Array.from({ length: 4 }, () => 'of the host'),
      `${outside}/work`,
      '/dev/null',
    ]);
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync('/tmp/made')).toBe(false);
  });

  it.each(['overlay', 'fuse-overlayfs', 'copy'])(
    'whose volume is a link to the host’s files does not get them (%s)',
    async (driver) => {
      const reference = await pushDerived(
        registry.host,
        'volume',
        [
          tarArchive(
            symlink('data', precious),
            directory('a'),
            symlink('a/b', `..${'/..'.repeat(12)}${precious}`),
            symlink('loop', 'loop'),
          ),
        ],
        { Volumes: { '/data': {}, '/a/b/c': {} } },
      );
      const script = `ls -R /data /a/b/c; cat /data/secret 2>/dev/null; true`;
      const output = await run(['--storage-driver', driver, '-v', '/a/b'], script, reference);
      expect(output).not.toMatch(/secret|of the host/);
    },
  );

  it('whose lower layer has a link where an upper one has a directory removes nothing of the host (copy)', async () => {
    const reference = await pushDerived(registry.host, 'remove', [
      tarArchive(symlink('d', precious), symlink('e', join(precious, '..'))),
      tarArchive(tarEntry({ name: '.wh.d' }), tarEntry({ name: '.wh.e' })),
      tarArchive(
        directory('d'),
        tarEntry({ name: 'd/.wh.secret' }),
        directory('e'),
        directory('e/precious'),
        tarEntry({ name: 'e/precious/.wh..wh..opq' }),
        file('d/written', 'x'),
      ),
    ]);
    expect(await run(['--storage-driver', 'copy'], 'ls -A /d /e/precious', reference)).toBe(
      '/d:\nwritten\n\n/e/precious:',
    );
    expect(readdirSync(precious).sort()).toEqual(['group', 'passwd', 'secret']);
  });

  it('cannot make a command of the host run: its own `cp`, `newuidmap` and libraries stay its own', async () => {
    const marker = join(precious, 'ran');
    const script = `#!/bin/sh\n: > ${marker}\n`;
    const reference = await pushDerived(
      registry.host,
      'commands',
      [
        tarArchive(
          ...['bin/cp', 'usr/bin/newuidmap', 'usr/bin/fuse-overlayfs', 'bin/bash'].map((name) =>
            file(name, script, { mode: 0o755 }),
          ),
        ),
      ],
      { Volumes: { '/etc': {} }, Env: ['PATH=/bin:/usr/bin', 'LD_PRELOAD=/evil.so'] },
    );
    for (const driver of ['overlay', 'copy']) await run(['--storage-driver', driver], 'true', reference);
    expect(existsSync(marker)).toBe(false);
  });
});

it('files that a container’s other users made belong to the user’s subordinate ids, and to nobody else’s', async () => {
  const made = join(tsrun.store.directory, 'made');
  mkdirSync(made, { mode: 0o777 });
  await run(['-v', `${made}:/made`], 'touch /made/root /made/other; chown 33:33 /made/other');
  const owner = (name: string): number =>
    Number(execFileSync('stat', ['-c', '%u', join(made, name)]).toString());
  expect(owner('root')).toBe(process.getuid?.());
  const map = (await tsrun.ok('unshare', 'cat', '/proc/self/uid_map'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const [first = -1, hostFirst = -1] = map[1] ?? [];
  expect(owner('other')).toBe(hostFirst + 33 - first);
  await tsrun.ok('unshare', 'rm', '-r', made);
});
