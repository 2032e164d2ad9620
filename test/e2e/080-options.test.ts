/** Every option of `run` does what it says, seen from inside the container; what cannot be done is refused by name. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerPids, namespaceOf } from '../support/container-processes.ts';
import { fetchText, publishedPort } from '../support/http.ts';
import { imageOf, indexOf, tarOf } from '../support/image-fixture.ts';
import { pushDocument, pushImage } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';

/** Standard output of a command in a new container. */
const inside = (options: readonly string[], ...command: string[]): Promise<string> => {
  const network = options.includes('--network') ? [] : ['--network', 'none'];
  return tsrun.ok('run', '--rm', ...network, ...options, IMAGE, ...command);
};
const sh = (options: readonly string[], script: string): Promise<string> =>
  inside(options, 'sh', '-c', script);
/** The words of a refusal. */
const refused = async (...words: string[]): Promise<string> => {
  const { stderr, stdout } = await tsrun.expect(125, ['run', '--rm', '--network', 'none', ...words]);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(4);
  return stderr;
};
const volumes = (): string[] => {
  const directory = join(tsrun.store.root, 'volumes');
  return existsSync(directory) ? readdirSync(directory) : [];
};

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

describe('environment', () => {
  it('-e sets, overrides the image’s, and passes on by name', async () => {
    const env = { FROM_HERE: 'a b' };
    const words = [
      'run',
      '--rm',
      '--network',
      'none',
      '-e',
      'A=1=2',
      '-e',
      'FROM_HERE',
      '-e',
      'NOT_SET',
      '-e',
      'EMPTY=',
      IMAGE,
    ];
    const { stdout } = await tsrun.expect(0, [...words, 'env'], { env });
    expect(stdout).toMatch(/^A=1=2$/m);
    expect(stdout).toMatch(/^FROM_HERE=a b$/m);
    expect(stdout).toMatch(/^EMPTY=$/m);
    expect(stdout).not.toMatch(/NOT_SET/);
    expect(await inside(['-e', 'PATH=/bin'], 'env')).toMatch(/^PATH=\/bin$/m);
  });

  it('nothing of the host’s environment comes along; HOME, HOSTNAME, PATH and `container` are set', async () => {
    const names = (await inside([], 'env')).split('\n').map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['HOME', 'HOSTNAME', 'PATH', 'container']);
  });

  it('--env-file reads lines, comments and names', async () => {
    const file = join(tsrun.store.directory, 'env');
    writeFileSync(file, '# comment\n\nB=two words\nC="quoted"\n');
    const output = await inside(['--env-file', file, '-e', 'B=three'], 'env');
    expect(output).toMatch(/^B=three$/m);
    expect(output).toMatch(/^C="quoted"$/m);
  });
});

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

describe('names', () => {
  it('--name is the container’s, and a second one of it is refused with the holder’s id', async () => {
    const id = await tsrun.ok('create', '--name', 'taken', IMAGE, 'true');
    const stderr = await refused('--name', 'taken', IMAGE, 'true');
    expect(stderr).toContain(id.slice(0, 12));
    await tsrun.ok('rm', 'taken');
    await tsrun.ok('create', '--name', 'taken', IMAGE, 'true');
    await tsrun.ok('rm', 'taken');
  });

  it('a name that could be mistaken for something else is refused', async () => {
    for (const name of ['../x', '-x', 'a/b', '']) {
      await tsrun.expect(125, ['run', '--rm', `--name=${name}`, IMAGE, 'true']);
    }
  });

  it('-h sets the host name, which resolves', async () => {
    const output = await sh(
      ['-h', 'box.example'],
      'hostname; cat /etc/hostname; grep -c box.example /etc/hosts; echo $HOSTNAME',
    );
    expect(output.split('\n')).toEqual(['box.example', 'box.example', '1', 'box.example']);
  });

  it('without -h the host name is the beginning of the id', async () => {
    const id = await tsrun.ok('run', '-d', '--name', 'named', '--network', 'none', IMAGE, 'sleep', '1000');
    expect(await tsrun.ok('exec', 'named', 'hostname')).toBe(id.slice(0, 12));
    await tsrun.ok('rm', '-f', 'named');
  });
});

describe('--rm', () => {
  it('leaves nothing, however the command ends', async () => {
    for (const script of ['exit 0', 'exit 3'])
      await tsrun.run(['run', '--rm', '--network', 'none', IMAGE, 'sh', '-c', script]);
    const id = await tsrun.ok('run', '-d', '--rm', '--network', 'none', IMAGE, 'sleep', '1000');
    await tsrun.ok('stop', '-t', '0', id);
    expect(await tsrun.ok('ps', '-aq')).toBe('');
  });
});

describe('--network', () => {
  const interfaces =
    'ls /sys/class/net | grep -v -e sit -e tunl -e ip6 -e gre -e erspan -e bond -e dummy -e vti | xargs';

  it('none: only lo, which is up', async () => {
    expect(
      await sh(
        ['--network', 'none'],
        `${interfaces}; ip address show lo | grep -c 127.0.0.1; cat /etc/resolv.conf | wc -l`,
      ),
    ).toMatch(/^lo\n1\n/);
  });

  it('host: the host’s own, its name and the names that it knows', async () => {
    const own = namespaceOf(process.pid, 'net');
    expect(await sh(['--network', 'host'], 'readlink /proc/self/ns/net; hostname')).toBe(
      `${own}\n${hostname()}`,
    );
    const hosts = readFileSync('/etc/hosts', 'utf8').trim();
    expect(await sh(['--network', 'host', '--add-host', 'db:192.0.2.7'], 'cat /etc/hosts')).toMatch(
      new RegExp(`^${hosts.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\n192\\.0\\.2\\.7 db`),
    );
  });

  it.each(['pasta', 'slirp4netns', 'private'])(
    '%s: one of its own, with an address, a route and a resolver',
    async (mode) => {
      const output = await sh(
        ['--network', mode],
        'readlink /proc/self/ns/net; ip -4 -o address | grep -vc " lo "; ip route | grep -c default; grep -c nameserver /etc/resolv.conf',
      );
      const [namespace, addresses, routes, servers] = output.split('\n');
      expect(namespace).not.toBe(namespaceOf(process.pid, 'net'));
      expect([addresses, routes]).toEqual(['1', '1']);
      expect(Number(servers)).toBeGreaterThan(0);
    },
  );

  it('container:NAME: that container’s, with its names', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'server',
      '--add-host',
      'db:192.0.2.1',
      '-p',
      '127.0.0.1::80',
      'localhost/httpd',
    );
    const port = await tsrun.ok('port', 'server', '80');
    await fetchText(publishedPort(port));
    expect(await tsrun.ok('port', '--latest', '80')).toBe(port);
    const script = 'readlink /proc/self/ns/net; cat /etc/resolv.conf /etc/hosts; wget -qO- http://127.0.0.1/';
    const namespace = async () => namespaceOf((await containerPids(tsrun, 'server')).init, 'net');
    const output = await sh(['--network', 'container:server'], script);
    expect(output.split('\n')[0]).toBe(await namespace());
    expect(output).toContain(await tsrun.ok('exec', 'server', 'cat', '/etc/resolv.conf', '/etc/hosts'));
    expect(output).toContain('It works!');

    // It is another namespace when that container was started again.
    await tsrun.ok(
      'create',
      '--name',
      'guest',
      '--network',
      'container:server',
      IMAGE,
      'readlink',
      '/proc/self/ns/net',
    );
    expect(await tsrun.ok('start', '-a', 'guest')).toBe(await namespace());
    await tsrun.ok('stop', '-t', '0', 'server');
    expect((await tsrun.expect(125, ['start', '-a', 'guest'])).stderr).toContain('server');
    await tsrun.ok('start', 'server');
    expect(await tsrun.ok('start', '-a', 'guest')).toBe(await namespace());
    await tsrun.ok('rm', '-f', 'server', 'guest');
    expect(await refused('--network', 'container:server', IMAGE, 'true')).toContain('server');
  });

  it('an unknown one is refused by name', async () => {
    expect(
      (await tsrun.expect(125, ['run', '--rm', '--network', 'nowhere', IMAGE, 'true'])).stderr,
    ).toContain('nowhere');
  });

  it('--dns, --dns-search, --add-host and --no-hosts', async () => {
    const words = [
      '--network',
      'private',
      '--dns',
      '192.0.2.53',
      '--dns-search',
      'corp.example',
      '--add-host',
      'db:192.0.2.1',
    ];
    const output = await sh(words, 'cat /etc/resolv.conf /etc/hosts');
    expect(output).toMatch(/^nameserver 192\.0\.2\.53$/m);
    expect(output).toMatch(/^search corp\.example$/m);
    expect(output).toMatch(/^192\.0\.2\.1\s+db$/m);
    expect(await sh(['--no-hostname'], 'cat /etc/hostname 2>/dev/null | grep $HOSTNAME | wc -l')).toBe('0');
    expect(await sh(['--no-hosts'], 'cat /etc/hosts 2>/dev/null | grep $HOSTNAME | wc -l')).toBe('0');
  }, 60_000);
});

describe('-p', () => {
  it('chooses a port, publishes ranges, protocols and addresses, and lists them', async () => {
    const id = await tsrun.ok(
      'run',
      '-d',
      '-p',
      '127.0.0.1::80',
      '-p',
      '127.0.0.2::81/udp',
      '-P',
      'localhost/httpd',
    );
    const lines = (await tsrun.ok('port', id)).split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^80\/tcp -> 127\.0\.0\.1:\d+$/));
    expect(lines).toContainEqual(expect.stringMatching(/^81\/udp -> 127\.0\.0\.2:\d+$/));
    await tsrun.ok('rm', '-f', id);
  });

  it('refuses a low port before anything is pulled, with the sysctl and another port', async () => {
    const { stderr } = await tsrun.expect(125, ['run', '--rm', '-p', '80:80', '127.0.0.1:1/never/there']);
    expect(stderr).toMatch(/port 80[\s\S]*ip_unprivileged_port_start[\s\S]*-p 8080:80/);
    expect(stderr).not.toContain('never/there');
  });

  it('refuses a port that is taken', async () => {
    const { createServer } = await import('node:net');
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { stderr } = await tsrun.expect(125, ['run', '--rm', '-p', `127.0.0.1:${port}:80`, IMAGE, 'true']);
    expect(stderr).toMatch(new RegExp(`${port}.*already in use`));
    server.close();
  });
});

describe('the command', () => {
  it('--entrypoint replaces the image’s, and drops its arguments', async () => {
    expect(
      await tsrun.ok('run', '--rm', '--network', 'none', '--entrypoint', 'echo', 'localhost/httpd', 'a', 'b'),
    ).toBe('a b');
    expect(
      await tsrun.ok('run', '--rm', '--network', 'none', '--entrypoint', '["echo","x"]', 'localhost/httpd'),
    ).toBe('x');
  });

  it('the image’s entrypoint comes before the user’s words; --entrypoint "" takes it away', async () => {
    const tar = await tarOf({ x: 'x' });
    const busybox = imageOf([tar]);
    expect(busybox.layers).toHaveLength(1); // the merge rules themselves are unit-tested; here: an image with both
    const id = await tsrun.ok('create', '--entrypoint', '', IMAGE, 'echo', 'plain');
    expect(await tsrun.ok('inspect', '--format', '{{.Path}} {{join .Args ","}}', id)).toBe('echo plain');
    await tsrun.ok('rm', id);
  });

  it('-w: the working directory, made when it is not there', async () => {
    expect(await inside(['-w', '/usr'], 'pwd')).toBe('/usr');
    expect(await sh(['-w', '/new/place'], 'pwd; stat -c "%u:%g %a" .')).toBe('/new/place\n0:0 755');
    // As podman has it: a relative one starts from the image's.
    const words = ['run', '--rm', '--network', 'none', '-w', 'below', 'localhost/httpd', 'pwd'];
    expect(await tsrun.ok(...words)).toBe('/var/www/below');
  });

  it.each([
    ['root', 'uid=0(root) gid=0(root)'],
    ['www-data', 'uid=33(www-data) gid=33(www-data)'],
    ['33', 'uid=33(www-data) gid=33(www-data)'],
    ['1234', 'uid=1234 gid=0(root)'],
    ['1234:5678', 'uid=1234 gid=5678'],
    ['www-data:root', 'uid=33(www-data) gid=0(root)'],
  ])('-u %s', async (user, wanted) => {
    const reference = await registry.push('apache');
    const output = await tsrun.ok('run', '--rm', '--network', 'none', '-u', user, reference, 'id');
    expect(output.split(' groups=')[0]).toBe(wanted);
  });

  it('-u of a name that the image does not have is refused', async () => {
    expect(await refused('-u', 'nobody-knows', IMAGE, 'id')).toContain('nobody-knows');
  });

  it('supplementary groups are those of the container’s user, and --group-add’s; none of the host’s (AC-7.7)', async () => {
    // The image's /etc/group has root in wheel.
    expect(await inside([], 'id', '-G')).toBe('0 10');
    expect(await inside(['-u', '1000:1000'], 'id', '-G')).toBe('1000');
    expect(await inside(['-u', '1000:1000', '--group-add', '27'], 'id', '-G')).toBe('1000 27');
  });

  it('--init', async () => {
    expect(await sh(['--init'], 'cat /proc/1/comm; echo $$')).toMatch(/init\n[2-9]/);
  });

  it('--ulimit', async () => {
    expect(
      await sh(['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'], 'ulimit -Sn; ulimit -Hn; ulimit -c'),
    ).toBe('100\n200\n0');
  });

  it('--shm-size', async () => {
    expect(await sh(['--shm-size', '1m'], 'df -k /dev/shm | tail -1')).toMatch(/\s1024\s/);
  });

  it('-l and --label-file', async () => {
    const id = await tsrun.ok('create', '-l', 'a=1', '--label', 'b', IMAGE, 'true');
    expect(JSON.parse(await tsrun.ok('inspect', '--format', '{{json .Config.Labels}}', id))).toMatchObject({
      a: '1',
      b: '',
    });
    expect(await tsrun.ok('ps', '-aq', '--no-trunc', '--filter', 'label=a=1')).toBe(id);
    // A name that means nothing is told of, and the others are gone through all the same.
    await tsrun.ok('rm', '--filter', 'label=a=2', id);
    const { stderr } = await tsrun.expect(1, ['rm', '--filter', 'label=a=1', 'not-there', id]);
    expect(stderr).toContain('not-there');
    expect(await tsrun.ok('ps', '-aq')).toBe('');
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

describe('--pull and --platform', () => {
  it('never: refused when it is not in the store, with the pull that would help', async () => {
    const stderr = await refused('--pull', 'never', `${registry.host}/nothing`, 'true');
    expect(stderr).toMatch(/hint: tsrun pull /);
  });

  it('missing: fetched once; always: looked at every time; newer: fetched when it changed', async () => {
    const reference = await registry.push('httpd', 'moving');
    const page = (policy: string) =>
      tsrun.expect(0, ['run', '--rm', '--network', 'none', '--pull', policy, reference, 'true']);
    expect((await page('missing')).stderr).toContain('Downloaded newer image');
    expect((await page('missing')).stderr).toBe('');
    expect((await page('always')).stderr).toContain('Image is up to date');
    expect((await page('newer')).stderr).not.toContain('Downloaded newer image');
    await registry.push('busybox', 'moving');
    expect((await page('missing')).stderr).toBe('');
    expect((await page('newer')).stderr).toContain('Downloaded newer image');
  });

  it('a platform that the image does not have is refused with those that it has', async () => {
    const image = imageOf([await tarOf({ x: 'x' })], { architecture: 'arm64' });
    await pushImage(registry.host, 'foreign', image.manifestDigest, image);
    const index = indexOf([{ image, architecture: 'arm64' }]);
    await pushDocument(registry.host, 'foreign', 'latest', index.index.mediaType ?? '', index.bytes);
    const reference = `${registry.host}/foreign`;
    expect(await refused(reference, 'true')).toMatch(
      /no image for linux\/amd64; it has linux\/arm64[\s\S]*--platform linux\/arm64/,
    );
    expect(await refused('--platform', 'linux/s390x', reference, 'true')).toContain('linux/s390x');
    await tsrun.ok('pull', '-q', '--platform', 'linux/arm64', reference);
    expect((await tsrun.expect(125, ['pull', '-q', '--arch', 's390x', reference])).stderr).toContain(
      'linux/s390x',
    );
    await tsrun.ok('pull', '-q', '--os', 'linux', '--arch', 'arm64', '--variant', 'v8', reference);
    await tsrun.ok('pull', '-q', '--arch', 'arm64', '--policy', 'never', reference);
  });

  it('a command of another architecture says so: 126', async () => {
    const elf = readFileSync('/bin/busybox');
    elf.writeUInt16LE(0xf3, 18); // e_machine: RISC-V
    const { status, stderr } = await runForeign(elf);
    expect(status).toBe(126);
    expect(stderr).toMatch(/hint: .*another architecture/);
  });

  const runForeign = async (bytes: Buffer) => {
    writeFileSync(join(tsrun.store.directory, 'foreign'), bytes);
    chmodSync(join(tsrun.store.directory, 'foreign'), 0o755);
    return await tsrun.run([
      'run',
      '--rm',
      '--network',
      'none',
      '-v',
      './foreign:/foreign',
      IMAGE,
      '/foreign',
    ]);
  };
});

describe('--storage-driver', () => {
  it.each(['overlay', 'fuse-overlayfs', 'copy'])(
    '%s: the same files, changes that stay with the container',
    async (driver) => {
      const reference = await registry.push('whiteout');
      const list =
        "cd /; find kept gone opaque real link directory-then-file file-then-directory ! -type l -exec stat -c '%n %F %a %u' {} + | sort; cat kept/c gone";
      const expected = await tsrun.ok(
        'run',
        '--rm',
        '--network',
        'none',
        '--storage-driver',
        'overlay',
        reference,
        'sh',
        '-c',
        list,
      );
      const words = ['--network', 'none', '--storage-driver', driver, '--name', 'stored'];
      expect(await tsrun.ok('run', ...words, reference, 'sh', '-c', `${list}; touch /new; rm /gone`)).toBe(
        expected,
      );
      await tsrun.ok('rm', 'stored');
      await tsrun.ok(
        'create',
        ...words,
        reference,
        'sh',
        '-c',
        'ls /new 2>/dev/null; echo more >> /again; cat /again; rm -r /kept',
      );
      expect(await tsrun.ok('start', '-a', 'stored')).toBe('more');
      const again = await tsrun.run(['start', '-a', 'stored']);
      expect(again.stdout).toBe('more\nmore\n');
      await tsrun.ok('rm', 'stored');
    },
  );

  it.each(['overlay', 'fuse-overlayfs', 'copy'])(
    '%s: a new volume takes the image’s content, whiteouts applied',
    async (driver) => {
      const reference = `${registry.host}/whiteout`;
      const words = [
        'run',
        '--rm',
        '--network',
        'none',
        '--storage-driver',
        driver,
        '-v',
        '/opaque',
        '-v',
        '/kept',
        '-v',
        '/link',
      ];
      expect(
        await tsrun.ok(
          ...words,
          reference,
          'sh',
          '-c',
          'ls -A /opaque; ls -A /kept; cat /kept/c; cat /link/through',
        ),
      ).toBe('new\na\nc\nc of the upper layer\nlands in real/');
    },
  );
});

describe('what is not supported', () => {
  it.each(['--blkio-weight=100', '--memory-swappiness=5', '--hostuser=x', '--pod=x', '--runtime=crun'])(
    '%s is refused by name, not ignored',
    async (option) => {
      expect(await refused(option, IMAGE, 'true')).toContain(option.split('=')[0] ?? option);
    },
  );
  it('a misspelt option is refused with the one that was meant', async () => {
    expect(await refused('--hostnam', 'x', IMAGE, 'true')).toContain('--hostname');
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

it('a umask of 077 is the user’s, not the container’s: its other users read what every system lets them read', async () => {
  const directory = join(tsrun.store.directory, 'shared');
  mkdirSync(directory);
  const script =
    'cat /etc/hosts /etc/resolv.conf /etc/hostname >/dev/null && ls /masked-data /new/place && umask';
  const options = ['-u', '1000:1000', '-v', `${directory}:/new/place/shared`, '-v', 'masked:/masked-data'];
  const usual = process.umask(0o077);
  try {
    expect(await sh(options, script)).toBe('/masked-data:\n\n/new/place:\nshared\n0022');
  } finally {
    process.umask(usual);
  }
});

describe('a 32-bit program', () => {
  const source = `
    static long call(long nr, long a, long b, long c)
    {
      long ret;
      __asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
      return ret;
    }
    void _start(void)
    {
      call(4, 1, (long)"of 32 bits\\n", 11); /* write */
      call(1, call(21, 0, 0, 0) == -1, 0, 0);  /* exit 1 if mount answers EPERM */
    }`;
  const compiled = spawnSync('cc', ['-m32', '-nostdlib', '-static', '-x', 'c', '-', '-o', '/dev/null'], {
    input: source,
  });

  it.runIf(process.arch === 'x64' && compiled.status === 0)(
    'runs, and is filtered like any other',
    async () => {
      const binary = join(tsrun.store.directory, 'of-32-bits');
      execFileSync('cc', ['-m32', '-nostdlib', '-static', '-x', 'c', '-', '-o', binary], { input: source });
      const words = ['run', '--rm', '--network', 'none', '-v', `${binary}:/of-32-bits`, IMAGE, '/of-32-bits'];
      expect((await tsrun.expect(1, words)).stdout).toBe('of 32 bits\n');
    },
  );
});
