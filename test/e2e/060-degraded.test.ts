/**
 * Where something is missing, tsrun starts all the same and says in one line what is less; where it cannot, it says what to do
 * (AC-1.4 to AC-1.7). The machine is made poorer in namespaces (support/poorer-machine.ts); test/without-subids runs as a user who really
 * has no subordinate ids.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_SUBIDS, onPoorerMachine } from '../support/poorer-machine.ts';
import { BINARY, start, useTsrun, warnings } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = `"$T" run --rm --network none ${IMAGE}`;

describe('without subordinate ids', () => {
  const lack = { hidden: NO_SUBIDS };

  it('containers start, with one user, and one line says so', async () => {
    const { status, stdout, stderr } = await onPoorerMachine(
      tsrun,
      lack,
      `${RUN} sh -c 'id -u; cat /proc/self/uid_map; cat /proc/self/setgroups'`,
    );
    expect(status, stderr).toBe(0);
    expect(stdout.trim().split(/\s+/)).toEqual(['0', '0', String(userInfo().uid), '1', 'deny']);
    expect(warnings(stderr)).toEqual([expect.stringMatching(/no subordinate ids.*tsrun doctor/)]);
  });

  it('the whole life of a container works: run -d, exec, logs, stop, rm', async () => {
    const script = `
      id=$("$T" run -d --name poor -p 127.0.0.1::80 localhost/httpd) && "$T" exec poor cat /var/www/index.html &&
      "$T" port poor 80 && "$T" stop poor && "$T" logs poor && "$T" rm poor`;
    const { status, stdout, stderr } = await onPoorerMachine(tsrun, lack, script);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('It works!');
  });

  it('a user of the image other than root is refused with a remedy', async () => {
    const { status, stderr } = await onPoorerMachine(
      tsrun,
      lack,
      `"$T" run --rm --network none -u 33 ${IMAGE} id`,
    );
    expect(status).toBe(125);
    expect(stderr).toMatch(/hint: .*usermod --add-subuids/);
  });

  it('doctor says DEGRADED and how to get some', async () => {
    const { stdout } = await onPoorerMachine(tsrun, lack, '"$T" doctor');
    expect(stdout).toMatch(/^DEGRADED +subordinate ids/m);
    expect(stdout).toMatch(/sudo usermod --add-subuids/);
  });
});

describe('without /dev/fuse', () => {
  const lack = { hidden: ['/dev/fuse'] };

  it('containers start, without a word where the kernel’s overlay works', async () => {
    const { status, stderr } = await onPoorerMachine(
      tsrun,
      { hidden: [...lack.hidden, ...NO_SUBIDS] },
      `${RUN} true`,
    );
    expect(status, stderr).toBe(0);
    expect(warnings(stderr)).toHaveLength(1); // the ids
  });

  it('--storage-driver fuse-overlayfs says why not', async () => {
    const script = `"$T" run --rm --storage-driver fuse-overlayfs --network none ${IMAGE} true`;
    const { status, stderr } = await onPoorerMachine(
      tsrun,
      { hidden: [...lack.hidden, ...NO_SUBIDS] },
      script,
    );
    expect(status).toBe(125);
    expect(stderr).toContain('/dev/fuse');
  });
});

describe('newuidmap', () => {
  it('that fails is quoted', async () => {
    const replaced = { '/usr/bin/newuidmap': 'echo "newuidmap: its own words" >&2; exit 1' };
    const { status, stderr } = await onPoorerMachine(tsrun, { replaced }, `${RUN} true`);
    expect(status).toBe(125);
    expect(stderr).toContain('newuidmap: its own words');
    expect(stderr).toContain('tsrun doctor');
    expect(stderr.trimEnd().split('\n')).toHaveLength(4);
  });

  it.each([
    [
      'fetching an image, whose layers are unpacked in the namespaces',
      `run --rm --network none ${IMAGE} true`,
    ],
    ['a command in the namespaces', 'unshare true'],
  ])('that fails is quoted by every command that needs it: %s', async (_what, words) => {
    const replaced = { '/usr/bin/newuidmap': 'echo "newuidmap: its own words" >&2; exit 1' };
    const root = join(tsrun.store.directory, 'empty-store');
    const { status, stderr } = await onPoorerMachine(tsrun, { replaced }, `"$T" --root ${root} ${words}`);
    expect(status).toBe(125);
    expect(stderr).toContain('tsrun: cannot enter the rootless namespaces');
    // newgidmap runs at the same time; here it cannot succeed either, and its words may come first.
    expect(stderr).toMatch(/cause: .*newuidmap: its own words/);
    expect(stderr).toContain('see: docs/errors.md#ERR_TSRUN_NAMESPACES');
  });
});

describe('network helpers', () => {
  const pasta = ['/usr/bin/pasta', '/usr/bin/passt', '/usr/bin/pasta.avx2', '/usr/bin/passt.avx2'];
  const slirp = ['/usr/bin/slirp4netns'];
  const start = `"$T" run --rm -p 127.0.0.1::80 ${IMAGE} sh -c 'ip -o address | grep -v " lo "'`;

  it.each([
    ['pasta', slirp],
    ['slirp4netns', pasta],
  ])('only %s: it is used', async (_name, hidden) => {
    const { status, stdout, stderr } = await onPoorerMachine(
      tsrun,
      { hidden: [...hidden, ...NO_SUBIDS] },
      start,
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/inet /);
  });

  it('none: the default network is refused with what to install, and --network none works', async () => {
    const hidden = [...pasta, ...slirp, ...NO_SUBIDS];
    const refused = await onPoorerMachine(tsrun, { hidden }, start);
    expect(refused.status).toBe(125);
    expect(refused.stderr).toMatch(/hint: sudo apt install (passt|slirp4netns)/);
    const { status, stderr } = await onPoorerMachine(tsrun, { hidden }, `${RUN} true`);
    expect(status, stderr).toBe(0);
  });
});

describe('XDG_RUNTIME_DIR', () => {
  const places: [what: string, value: (directory: string) => string | undefined, words: RegExp][] = [
    ['unset', () => undefined, /XDG_RUNTIME_DIR is not set/],
    ['empty', () => '', /XDG_RUNTIME_DIR is not set/],
    ['of nobody', (directory) => join(directory, 'nowhere'), /XDG_RUNTIME_DIR=.*nowhere/],
    ['of another user', () => '/root', /XDG_RUNTIME_DIR=\/root/],
    [
      'open to others',
      (directory) => {
        mkdirSync(join(directory, 'open'), { recursive: true });
        chmodSync(join(directory, 'open'), 0o755);
        return join(directory, 'open');
      },
      /XDG_RUNTIME_DIR=.*open/,
    ],
  ];

  it.each(places)(
    '%s: containers start, live and end, and one line says where their sockets are',
    async (what, value, words) => {
      const place = join(tsrun.store.directory, 'k', what.replaceAll(' ', ''));
      const env = { XDG_RUNTIME_DIR: value(tsrun.store.directory), TMPDIR: place };
      mkdirSync(env.TMPDIR, { recursive: true });
      const { stderr } = await tsrun.expect(
        0,
        ['run', '-d', '--name', 'r', '--network', 'none', IMAGE, 'sleep', '1000'],
        { env },
      );
      expect(warnings(stderr)).toEqual([expect.stringMatching(words)]);
      // Said once.
      const again = await tsrun.expect(0, ['run', '--rm', '--network', 'none', IMAGE, 'true'], { env });
      expect(warnings(again.stderr)).toEqual([]);
      expect(stderr).toContain(`${env.TMPDIR}/tsrun-${userInfo().uid}`);
      const { stdout } = await tsrun.expect(0, ['exec', 'r', 'echo', 'hi'], { env });
      expect(stdout).toBe('hi\n');
      await tsrun.expect(0, ['stop', '-t', '0', 'r'], { env });
      await tsrun.expect(0, ['rm', 'r'], { env });
    },
  );

  it('removed while a container runs: stop, logs, exec and rm still work (AC-4.5)', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'orphan',
      '--network',
      'none',
      IMAGE,
      'sh',
      '-c',
      'echo up; exec sleep 1000',
    );
    await until('it is up', async () => (await tsrun.ok('logs', 'orphan')) === 'up');
    rmSync(tsrun.store.runtime, { recursive: true });
    expect(await tsrun.ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('orphan running');
    expect(await tsrun.ok('logs', 'orphan')).toBe('up');
    expect(await tsrun.ok('exec', 'orphan', 'echo', 'hi')).toBe('hi');
    const attach = await tsrun.expect(125, ['attach', 'orphan']);
    expect(attach.stderr).toMatch(/socket is gone/);
    await tsrun.ok('stop', '-t', '0', 'orphan');
    await tsrun.ok('rm', 'orphan');
    await tsrun.ok('run', '--rm', '--network', 'none', IMAGE, 'true');
  });
});

describe('cgroups', () => {
  it('v1 and hybrid hosts are no obstacle; doctor has a line about them', async () => {
    const { stdout } = await tsrun.run(['doctor']);
    expect(stdout).toMatch(/^(OK|DEGRADED) +cgroups /m);
    const isUnified = / - cgroup2 .*/.test(
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .find((line) => line.includes(' /sys/fs/cgroup ')) ?? '',
    );
    expect(/^OK +cgroups /m.test(stdout) || !isUnified || /delegat/.test(stdout)).toBe(true);
  });
});

it('root is told to be somebody else', async () => {
  const script = 'unshare --user --map-root-user "$T" run --rm localhost/busybox true';
  const { status, stderr } = await onPoorerMachine(tsrun, {}, script);
  expect(status).toBe(125);
  expect(stderr).toMatch(/started by root[\s\S]*hint: /);
});

it('a store where no directory can be made is refused; Node’s own recursive mkdir tried for ever, deaf to any signal but SIGKILL', async () => {
  for (const words of [
    ['volume', 'create', 'a'],
    ['network', 'create', 'a'],
    ['run', '--rm', IMAGE, 'true'],
  ]) {
    const { stderr } = await tsrun.expect(125, ['--root', '/proc/store', ...words]);
    expect(stderr).toMatch(/ENOENT: .*mkdir '\/proc\/store'\n/);
    expect(stderr).not.toMatch(/bug/);
  }
});

// "This is a bug in tsrun: EEXIST", and of info, which is asked for where the store would be: "ENOENT, statfs".
it('in the place of a file there is no store; where it may not be made, the doctor is named, and info says what it can', async () => {
  const below = await tsrun.expect(125, ['--root', '/dev/null/store', 'network', 'create', 'a']);
  expect(below.stderr).toMatch(/^tsrun: cannot make the store\ncause: EEXIST: .*mkdir '\/dev\/null'\n/);
  const closed = join(tsrun.store.directory, 'closed');
  mkdirSync(closed, { mode: 0o500 });
  const root = ['--root', join(closed, 'store')];
  expect(await tsrun.ok(...root, 'info')).toContain(`root: ${root[1]}\n`);
  const { stderr } = await tsrun.expect(125, [...root, 'run', '--rm', '--network', 'none', IMAGE, 'true']);
  expect(stderr).toContain('EACCES: ');
  expect(stderr).toMatch(/^hint: tsrun --root \S+ doctor /m);
  const said = await tsrun.run([...root, 'doctor']);
  expect(said.stdout).toMatch(new RegExp(`^BLOCKED +store +${closed} cannot be written`, 'm'));
});

// It said "fcntl: Invalid argument", "this is a bug in tsrun", or to ask the doctor, who finds nothing wrong.
it('with too few open files allowed, the line that helps is said, at whatever step it fails', async () => {
  const env = { ...tsrun.store.env, T: BINARY };
  for (const limit of ['25', '30', '40', '64']) {
    const { status, stderr } = await start('sh', ['-c', `ulimit -n ${limit}; ${RUN} true`], { env }).ended;
    expect(status).toBe(125);
    expect(stderr).toMatch(/EMFILE|RLIMIT_NOFILE/);
    expect(stderr).toMatch(/^hint: ulimit -n 65536 /m);
    expect(stderr).not.toContain('bug');
  }
});
