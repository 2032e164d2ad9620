/** `--mount type=image` and `type=devpts`; an image is in use while a container mounts it. */
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const OTHER = 'localhost/httpd';
const QUIET = ['--network', 'none'];
const mount = (...more: string[]) => [
  '--mount',
  ['type=image', `source=${OTHER}`, 'destination=/other', ...more].join(','),
];

it('shows an image’s files, which nobody can change', async () => {
  const words =
    'ls /other/bin/busybox; cat /other/var/www/html/* 2>/dev/null | head -c1; echo x > /other/new';
  const { stdout, stderr } = await tsrun.expect(1, [
    'run',
    '--rm',
    ...QUIET,
    ...mount(),
    IMAGE,
    'sh',
    '-c',
    words,
  ]);
  expect(stdout).toContain('/other/bin/busybox');
  expect(stderr).toMatch(/Read-only file system/);
});

it('with rw=true the container has changes of its own, which the image does not see', async () => {
  const words = 'cat /other/new; echo mine > /other/new';
  await tsrun.ok('run', '--name', 'w', ...QUIET, ...mount('rw=true'), IMAGE, 'sh', '-c', words);
  expect(await tsrun.ok('start', '-a', 'w')).toBe('mine');
  expect(await tsrun.ok('inspect', '-f', '{{range .Mounts}}{{.Type}} {{.Source}} {{.RW}}{{end}}', 'w')).toBe(
    'image localhost/httpd:latest true',
  );
  await tsrun.expect(1, ['run', '--rm', ...QUIET, OTHER, 'test', '-e', '/new']);
});

it('keeps the image in use, and its layers although its name is gone', async () => {
  expect((await tsrun.expect(2, ['rmi', OTHER])).stderr).toMatch(/in use|used by/);
  await tsrun.ok('rmi', '-f', OTHER);
  await tsrun.ok('image', 'prune', '-f', '-a');
  expect(await tsrun.ok('start', '-a', 'w')).toBe('mine');
  await tsrun.ok('system', 'check', '--quick');
  await tsrun.ok('rm', 'w');
});

it('devpts: a set of terminals elsewhere; what has no such option is refused by name', async () => {
  const words = 'ls /more; [ -c /more/ptmx ] && mount | grep " /more "';
  const devpts = 'type=devpts,destination=/more,mode=600';
  const shown = await tsrun.ok('run', '--rm', ...QUIET, '--mount', devpts, IMAGE, 'sh', '-c', words);
  expect(shown).toMatch(/ptmx\n.*type devpts .*mode=600/);
  for (const [wrong, words] of [
    ['type=image,destination=/x', /which image/],
    ['type=image,source=busybox,destination=/x,relabel=shared', /"relabel" is not supported/],
    ['type=devpts,destination=/x,size=3', /"size" is not supported/],
  ] as const)
    expect((await tsrun.expect(125, ['run', '--rm', '--mount', wrong, IMAGE, 'true'])).stderr).toMatch(words);
});
