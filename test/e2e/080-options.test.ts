/** The options of `run` that shape its process do what they say, seen from inside the container; what cannot be done is refused by name. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageOf, tarOf } from '../support/image-fixture.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useRunOptions } from '../support/run-options.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const { inside, sh, refused } = useRunOptions(tsrun, IMAGE);

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
