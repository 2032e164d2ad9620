/** --log-driver and --log-opt (LOG-1, LOG-3): a log of bounded size, whose newest lines are whole (AC-5.7). */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseLog } from '../support/k8s-log.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '--network', 'none'];

it('at most three files of 1 MiB after much more than that: no torn line, the newest retained', async () => {
  const words = ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=3', '--name', 'talker'];
  const last = 900_000;
  await tsrun.ok(...RUN, '-d', ...words, IMAGE, 'seq', String(last));
  await tsrun.ok('wait', 'talker');
  const directory = join(
    tsrun.store.root,
    'containers',
    await tsrun.ok('inspect', '--format', '{{.Id}}', 'talker'),
  );
  const names = readdirSync(directory).filter((name) => name.startsWith('container.log'));
  expect(names.sort()).toEqual(['container.log', 'container.log.1', 'container.log.2']);
  for (const name of names) {
    expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(1 << 20);
    parseLog(readFileSync(join(directory, name), 'utf8')); // throws at a torn line
  }
  const kept = (await tsrun.ok('logs', 'talker')).split('\n').map(Number);
  expect(kept.length).toBeGreaterThan(30_000);
  expect(kept).toEqual(kept.map((_, i) => last - kept.length + 1 + i));
});

it('none keeps nothing, and says so', async () => {
  expect(await tsrun.ok(...RUN, '--log-driver', 'none', '--name', 'mute', IMAGE, 'echo', 'hi')).toBe('hi');
  expect((await tsrun.expect(125, ['logs', 'mute'])).stderr).toContain('--log-driver none');
});

it('options that are none are refused', async () => {
  for (const option of ['max-size=0', 'max-size=big', 'max-file=0', 'max-file=x', 'colour=red'])
    await tsrun.expect(125, [...RUN, '--rm', '--log-opt', option, IMAGE, 'true']);
  await tsrun.expect(125, [...RUN, '--rm', '--log-driver', 'syslog', IMAGE, 'true']);
});
