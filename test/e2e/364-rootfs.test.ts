/** `--rootfs`: a plain directory instead of an image; and `--replace`, which costs nothing when the new container cannot be. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const QUIET = ['--network', 'none'];
let tree = '';

beforeAll(() => {
  tree = join(tsrun.store.directory, 'a tree');
  for (const name of ['bin', 'etc', 'srv']) mkdirSync(join(tree, name), { recursive: true });
  cpSync('/bin/busybox', join(tree, 'bin/sh'));
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0::/srv:/bin/sh\nguest:x:7:7::/srv:/bin/sh\n');
  writeFileSync(join(tree, 'srv/note'), 'from outside\n');
});

it('is the root file system as it is: what is written there stays', async () => {
  const run = ['run', '--rm', ...QUIET, '--rootfs', '-u', 'guest'];
  expect(await tsrun.ok(...run, tree, 'sh', '-c', 'cat /srv/note; echo $HOME; cd /; echo *')).toMatch(
    /^from outside\n\/srv\nbin dev etc proc .*srv.*sys/,
  );
  await tsrun.ok('run', '--name', 'kept', ...QUIET, '--rootfs', tree, 'sh', '-c', 'echo inside > /srv/new');
  expect(readFileSync(join(tree, 'srv/new'), 'utf8')).toBe('inside\n');
  const shown = await tsrun.ok('ps', '-a', '--format', '{{.Image}}', '--filter', 'name=kept');
  expect(shown).toBe(tree);
  expect(await tsrun.ok('inspect', '-f', '{{.Rootfs}}', 'kept')).toBe(tree);
  expect((await tsrun.ok('start', '-a', 'kept')).trim()).toBe('');
  expect((await tsrun.ok('commit', '-q', 'kept', 'localhost/of-tree')).length).toBeGreaterThan(60);
  expect(await tsrun.ok('run', '--rm', ...QUIET, 'localhost/of-tree', 'sh', '-c', 'cat /srv/new')).toBe(
    'inside',
  );
  await tsrun.ok('rm', 'kept');
  expect(existsSync(join(tree, 'srv/new'))).toBe(true);
  await tsrun.ok('system', 'check', '--quick');
});

it('with :O it stays as it is, and the container has its changes', async () => {
  const say = 'cat /srv/new2 2>/dev/null; echo mine > /srv/new2';
  await tsrun.ok('run', '--name', 'over', ...QUIET, '--rootfs', `${tree}:O`, 'sh', '-c', say);
  expect(await tsrun.ok('start', '-a', 'over')).toBe('mine');
  expect(existsSync(join(tree, 'srv/new2'))).toBe(false);
  expect(await tsrun.ok('diff', 'over')).toContain('A /srv/new2');
  await tsrun.ok('rm', 'over');
});

it('an image without layers, as `FROM scratch` makes it, has nothing but what the container writes', async () => {
  const layout = join(tsrun.store.directory, 'empty');
  const blobs = join(layout, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (value: object, mediaType: string): object => {
    const bytes = JSON.stringify(value);
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const type = 'application/vnd.oci.image';
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const config = put(
    { os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: null } },
    `${type}.config.v1+json`,
  );
  const manifest = put({ schemaVersion: 2, config, layers: null }, `${type}.manifest.v1+json`);
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));

  const image = (await tsrun.ok('pull', '-q', `oci:${layout}`)).trim();
  const missing = await tsrun.expect(127, ['run', '--rm', ...QUIET, image, 'sh']);
  expect(missing.stderr).toMatch(/there is no command "sh"/);
  const script = 'echo /*; echo kept > /new';
  const from = ['-v', `${join(tree, 'bin')}:/bin:ro`, '--name', 'scratch'];
  expect(await tsrun.ok('run', ...from, ...QUIET, image, '/bin/sh', '-c', script)).toBe(
    '/bin /dev /etc /proc /sys',
  );
  expect(await tsrun.ok('diff', 'scratch')).toContain('A /new');
  await tsrun.ok('commit', '-q', 'scratch', 'localhost/of-nothing');
  expect(await tsrun.ok('export', 'scratch')).toContain('kept');
  await tsrun.ok('rm', 'scratch');
  await tsrun.ok('rmi', image, 'localhost/of-nothing');
});

it('what is no directory is refused, and a missing command named', async () => {
  const nowhere = join(tree, 'nowhere');
  expect((await tsrun.expect(125, ['run', '--rm', '--rootfs', nowhere, 'sh'])).stderr).toMatch(
    /there is no directory/,
  );
  expect((await tsrun.expect(125, ['run', '--rm', '--rootfs', tree])).stderr).toMatch(
    /no command of its own/,
  );
  await tsrun.expect(127, ['run', '--rm', ...QUIET, '--rootfs', tree, 'no-such-command']);
});

it('--replace removes the old container only when the new one can be', async () => {
  await tsrun.ok('run', '-d', '--name', 'web', ...QUIET, IMAGE, 'sleep', '1000');
  const run = ['run', '-d', '--replace', '--name', 'web', ...QUIET];
  for (const wrong of [
    ['-u', 'nobody-knows'],
    ['--network', 'container:nobody'],
    ['--security-opt', 'seccomp=/none'],
  ])
    await tsrun.expect(125, [...run.slice(0, -2), ...wrong, IMAGE, 'true']);
  expect(await tsrun.ok('exec', 'web', 'echo', 'still there')).toBe('still there');
  await tsrun.ok(...run, IMAGE, 'sleep', '2000');
  expect(await tsrun.ok('inspect', '-f', '{{join .Config.Cmd " "}}', 'web')).toBe('sleep 2000');
});
