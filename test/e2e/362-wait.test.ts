/** `tsrun wait`: for ends, also of containers that are gone by then, and for other states. */
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const END = 'while [ ! -e /go ]; do sleep 0.05; done; exit 4';

it('knows the status of a --rm container, which leaves no record but its last event', async () => {
  await tsrun.ok('run', '-d', '--rm', '--name', 'gone', IMAGE, 'sh', '-c', END);
  const waiting = [tsrun.ok('wait', 'gone'), tsrun.ok('wait', '--condition', 'removed', 'gone')];
  await tsrun.ok('exec', 'gone', 'touch', '/go');
  expect(await Promise.all(waiting)).toEqual(['4', '4']);
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
