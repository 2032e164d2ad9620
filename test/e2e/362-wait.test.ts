/** `tsrun wait`: for ends, also of containers that are gone by then, and for other states. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isWatching } from '../support/container-processes.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const END = 'while [ ! -e /go ]; do sleep 0.05; done; exit 4';

it('knows the status of a --rm container, which leaves no record but its last event', async () => {
  await tsrun.ok('run', '-d', '--rm', '--name', 'gone', IMAGE, 'sh', '-c', END);
  const lines = ['wait gone', 'wait --condition removed gone'];
  const waiting = lines.map((line) => tsrun.start(line.split(' ')));
  // Who looks for it only after it is gone is told that there is none.
  await until('both watch it', () => waiting.every(({ child }) => isWatching(child.pid!)));
  await tsrun.ok('exec', 'gone', 'touch', '/go');
  const ends = waiting.map((one, i) => tsrun.endOf(`tsrun ${lines[i]}`, one));
  for (const end of await Promise.all(ends))
    expect(end).toMatchObject({ status: 0, stdout: '4\n', stderr: '' });
});

it('for a state: the first of several that holds; -1 while there is no status', async () => {
  await tsrun.ok(
    'create',
    '--name',
    'late',
    '--health-cmd',
    'true',
    '--health-interval',
    '100ms',
    IMAGE,
    'sleep',
    '1000',
  );
  expect(await tsrun.ok('wait', '--condition', 'created', 'late')).toBe('-1');
  const waiting = tsrun.ok('wait', '--condition=paused,healthy', '--interval', '50ms', 'late');
  await tsrun.ok('start', 'late');
  expect(await waiting).toBe('-1');
  await tsrun.ok('stop', '-t', '0', 'late');
  expect(await tsrun.ok('wait', '--condition', 'stopped', 'late', 'late')).toBe('137\n137');
});

it('refuses what it does not know; --ignore prints -1 for what is not there', async () => {
  expect((await tsrun.expect(125, ['wait', '--condition', 'tired', 'x'])).stderr).toMatch(/not one of/);
  await tsrun.expect(125, ['wait', 'no-such-container']);
  expect(await tsrun.ok('wait', '--ignore', 'no-such-container')).toBe('-1');
});

it('rm, stop and exec find containers by --cidfile, --latest and --ignore; rm has podman’s exit statuses', async () => {
  const file = join(tsrun.store.directory, 'web.cid');
  await tsrun.ok(
    'run',
    '-d',
    '--name',
    'web',
    '--cidfile',
    file,
    '--network',
    'none',
    IMAGE,
    'sleep',
    '1000',
  );
  expect(await tsrun.ok('exec', '--cidfile', file, 'echo', 'hi')).toBe('hi');
  expect(await tsrun.ok('exec', '--latest', 'echo', 'hi')).toBe('hi');
  await tsrun.expect(125, ['exec', '--latest']);
  await tsrun.ok('run', '-d', '--name', 'beside', '--network', 'container:web', IMAGE, 'sleep', '1000');
  await tsrun.expect(2, ['rm', '--cidfile', file]);
  await tsrun.expect(1, ['rm', 'no-such-container']);
  expect(await tsrun.ok('rm', '--ignore', 'no-such-container')).toBe('');
  expect(await tsrun.ok('stop', '--ignore', 'no-such-container')).toBe('');
  expect(await tsrun.ok('rm', '-f', '-t', '0', '--depend', 'web')).toBe('beside\nweb');
});

it('an --env-file is the command’s alone: what starts tsrun does not read it', async () => {
  const absent = await tsrun.expect(125, ['run', '--env-file', '/nowhere', IMAGE, 'true']);
  expect(absent.stderr).toMatch(/^tsrun: .*\/nowhere/);
  const file = join(tsrun.store.directory, 'env');
  writeFileSync(file, 'NODE_OPTIONS=--no-such-option\nA=1\n');
  const run = ['run', '--rm', '--network', 'none', '--env-file', file];
  expect(await tsrun.ok(...run, IMAGE, 'sh', '-c', 'echo $A $NODE_OPTIONS')).toBe('1 --no-such-option');
});
