/**
 * One behaviour for all drivers of root file systems: an image with everything that layers can do to each other, and what a container may do
 * to its files. Each line of what is printed is the same whichever driver it is. What differs by design: `diff` and `commit` of a full copy
 * (330-diff-commit.test.ts), and hard links of the image, which the kernel's overlay parts when one of them is written to.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerPids, isRunning, kill } from '../support/container-processes.ts';
import { pushDerived } from '../support/derived-image.ts';
import { onPoorerMachine } from '../support/poorer-machine.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { tarArchive, tarEntry } from '../support/tar-builder.ts';
import { BINARY, start, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
let registry: Registry;
let image: string;

const LOWER = [
  tarEntry({ name: 'd/', type: '5', mode: 0o755 }),
  tarEntry({ name: 'd/gone', mode: 0o644 }, 'gone'),
  tarEntry({ name: 'd/kept', mode: 0o640, uid: 33, gid: 44, mtime: 1_000_000_000 }, 'kept'),
  tarEntry({ name: 'd/hard', type: '1', linkname: 'd/kept' }),
  tarEntry({ name: 'd/plain', mode: 0o640, uid: 33, gid: 44 }, 'plain'),
  tarEntry({ name: 'opaque/', type: '5', mode: 0o755 }),
  tarEntry({ name: 'opaque/old', mode: 0o644 }, 'old'),
  tarEntry({ name: 'file', mode: 0o644 }, 'a file'),
  tarEntry({ name: 'dir/', type: '5', mode: 0o755 }),
  tarEntry({ name: 'dir/in', mode: 0o644 }, 'in'),
  tarEntry({ name: 'suid', mode: 0o4755 }, 'x'),
  tarEntry({ name: 'sticky/', type: '5', mode: 0o1777 }),
  tarEntry({ name: 'link', type: '2', linkname: 'd/kept' }),
  tarEntry({ name: 'fifo', type: '6', mode: 0o600 }),
];
const UPPER = [
  tarEntry({ name: 'd/.wh.gone', mode: 0o644 }),
  tarEntry({ name: 'opaque/.wh..wh..opq', mode: 0o644 }),
  tarEntry({ name: 'opaque/new', mode: 0o644 }, 'new'),
  tarEntry({ name: 'file/', type: '5', mode: 0o700 }),
  tarEntry({ name: 'file/inside', mode: 0o644 }, 'inside'),
  tarEntry({ name: 'dir', mode: 0o600 }, 'now a file'),
];

beforeAll(async () => {
  registry = await startRegistry();
  image = await pushDerived(registry.host, 'drivers', [tarArchive(...LOWER), tarArchive(...UPPER)]);
  await tsrun.ok('pull', '-q', image);
});
afterAll(() => registry?.[Symbol.asyncDispose]());

const READ = `
cd /; echo d/* opaque/* file/*; cat d/kept dir opaque/new; echo
stat -c '%n %F %a %u:%g %h' d/kept d/hard suid sticky link fifo dir file; stat -c %Y d/kept
`;
const WRITE = `
cd /; echo more >>d/plain; cat d/plain; chmod 600 suid; rm -r opaque; mkdir opaque; echo opaque/*; mv file moved; cat moved/inside; echo
chown 1000:1000 d; ln d/plain another; echo again >>another; cat d/plain; mkdir -p a/b; mv a c; rm link; ln -s c link; echo link/*
dd if=/dev/zero of=big bs=1k count=100 2>/dev/null; rm d/hard; stat -c '%n %a %u' d suid; stat -c '%n %a %u %s' big d/plain another
mv d/plain d/renamed; echo d/*; rmdir sticky; [ -e sticky ] || echo removed
`;
const AGAIN = `
cd /; for f in opaque moved a c big sticky file; do [ -e $f ] && echo $f; done; echo d/* opaque/*; cat another; stat -c '%a %u' d suid
`;

const EXPECTED_READ = `d/hard d/kept d/plain opaque/new file/inside
keptnow a filenew
d/kept regular file 640 33:44 2
d/hard regular file 640 33:44 2
suid regular file 4755 0:0 1
sticky directory 1777 0:0 2
link symbolic link 777 0:0 1
fifo fifo 600 0:0 1
dir regular file 600 0:0 1
file directory 700 0:0 2
1000000000`;
const EXPECTED_WRITE = `plainmore
opaque/*
inside
plainmore
again
link/b
d 755 1000
suid 600 0
big 644 0 102400
d/plain 640 33 16
another 640 33 16
d/kept d/renamed
removed`;
const EXPECTED_AGAIN = `opaque
moved
c
big
d/kept d/renamed opaque/*
plainmore
again
755 1000
600 0`;

describe.each(['overlay', 'fuse-overlayfs', 'copy'])('%s', (driver) => {
  const words = ['--network', 'none', '--storage-driver', driver];

  it('shows what the layers make together', async () => {
    expect(await tsrun.ok('run', '--rm', ...words, image, 'sh', '-c', READ)).toBe(EXPECTED_READ);
  });

  it('takes every change, keeps it over a restart, and the image as it was', async () => {
    await tsrun.ok(
      'create',
      ...words,
      '--name',
      `changed-${driver}`,
      image,
      'sh',
      '-c',
      `if [ -e /moved ]; then ${AGAIN} else ${WRITE} fi`,
    );
    expect(await tsrun.ok('start', '-a', `changed-${driver}`)).toBe(EXPECTED_WRITE);
    expect(await tsrun.ok('start', '-a', `changed-${driver}`)).toBe(EXPECTED_AGAIN);
    expect(await tsrun.ok('run', '--rm', ...words, image, 'sh', '-c', READ)).toBe(EXPECTED_READ);
  });

  it('is read from outside as from inside: cp, export', async () => {
    const copied = join(tsrun.store.directory, `copied-${driver}`);
    await tsrun.ok('cp', `changed-${driver}:/moved/inside`, copied);
    expect(await tsrun.ok('unshare', 'cat', copied)).toBe('inside');
    rmSync(copied);
    const { output } = await tsrun.expect(0, ['export', `changed-${driver}`]);
    const listed = execFileSync('tar', ['-t'], { input: output, encoding: 'utf8', maxBuffer: 1 << 26 }).split(
      '\n',
    );
    const names = listed.map((name) => name.replace(/^\.?\//, '').replace(/\/$/, ''));
    const wanted = ['another', 'big', 'c/b', 'd/kept', 'd/renamed', 'moved/inside', 'opaque'];
    const unwanted = ['a', 'd/gone', 'd/hard', 'd/plain', 'file', 'opaque/new', 'opaque/old', 'sticky'];
    expect([...wanted, ...unwanted].filter((name) => names.includes(name))).toEqual(wanted);
    await tsrun.ok('rm', `changed-${driver}`);
  });

  it('is what info says, when it is asked for', async () => {
    expect(
      await tsrun.ok('--storage-driver', driver, 'info', '-f', '{{.store.driver}} {{.store.driverReason}}'),
    ).toBe(`${driver} --storage-driver`);
  });
});

it('info names the system call for which a driver was not taken', async () => {
  const script = '"$T" --storage-driver fuse-overlayfs info';
  const { status, stderr } = await onPoorerMachine(tsrun, { hidden: ['/dev/fuse'] }, script);
  expect({ status, stderr }).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(/open \/dev\/fuse: .*\((?:EACCES|ENOENT)\)/),
  });
});

// A FUSE file system of the user's own takes no file of a subordinate id: info named a driver, and the next pull was refused.
it('info names no driver where no image can be unpacked, and says what pull says', async () => {
  const script = `mkdir own own/lower own/upper own/work own/mount
    fuse-overlayfs -o lowerdir=own/lower,upperdir=own/upper,workdir=own/work own/mount || exit 1
    "$T" --root own/mount/store info -f '{{.store.filesystem}} [{{.store.driver}}] {{.store.driverReason}}'
    fusermount3 -u own/mount || fusermount -u own/mount`;
  const { directory: cwd, env } = tsrun.store;
  const called = start('sh', ['-c', script], { cwd, env: { ...env, T: BINARY } });
  const { status, stdout, stderr } = await called.ended;
  expect({ status, stderr, stdout }).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(
      /^FUSE \[\] images cannot be unpacked in .*subordinate id \(fchownat: .*EPERM/,
    ),
  });
});

// An overlay that is unmounted is written to the disk first. For a container that goes with its end nobody needs that.
it('what is removed at its end is never synced, and starts again after its supervisor was killed', async () => {
  const root = ['exec', 'gone', 'grep', '^overlay / ', '/proc/mounts'];
  await tsrun.ok(
    'run',
    '-d',
    '--rm',
    '--name',
    'gone',
    '--network',
    'none',
    'localhost/busybox',
    'sleep',
    '1000',
  );
  expect(await tsrun.ok(...root)).toMatch(/\bvolatile\b/);
  const { init, supervisor } = await containerPids(tsrun, 'gone');
  kill(supervisor);
  await until('the container has ended with it', () => !isRunning(init));
  await tsrun.ok('start', 'gone');
  expect(await tsrun.ok(...root)).toMatch(/\bvolatile\b/);
  await tsrun.ok('rm', '-f', 'gone');
  await tsrun.ok('run', '-d', '--name', 'stays', '--network', 'none', 'localhost/busybox', 'sleep', '1000');
  expect(await tsrun.ok('exec', 'stays', 'grep', '^overlay / ', '/proc/mounts')).not.toMatch(/\bvolatile\b/);
  await tsrun.ok('rm', '-f', 'stays');
});
