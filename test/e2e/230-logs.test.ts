/** --log-driver and --log-opt (LOG-1, LOG-3): a log of bounded size, whose newest lines are whole (AC-5.7). */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseLog } from '../support/k8s-log.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '--network', 'none'];

/** @throws Error for a line of the log that is no whole record */
const PARSERS = {
  'k8s-file': parseLog,
  'json-file': (text: string) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
};

it.each(['k8s-file', 'json-file'] as const)(
  '%s: at most three files of 1 MiB after much more than that: no torn line, the newest retained',
  async (driver) => {
    const name = `talker-${driver}`;
    const words = [
      '--log-driver',
      driver,
      '--log-opt',
      'max-size=1m',
      '--log-opt',
      'max-file=3',
      '--name',
      name,
    ];
    const last = 900_000;
    await tsrun.ok(...RUN, '-d', ...words, IMAGE, 'seq', String(last));
    await tsrun.ok('wait', name);
    const directory = join(
      tsrun.store.root,
      'containers',
      await tsrun.ok('inspect', '--format', '{{.Id}}', name),
    );
    const names = readdirSync(directory).filter((file) => file.startsWith('container.log'));
    expect(names.sort()).toEqual(['container.log', 'container.log.1', 'container.log.2']);
    for (const file of names) {
      expect(statSync(join(directory, file)).size).toBeLessThanOrEqual(1 << 20);
      PARSERS[driver](readFileSync(join(directory, file), 'utf8')); // throws at a torn line
    }
    const kept = (await tsrun.ok('logs', name)).split('\n').map(Number);
    expect(kept.length).toBeGreaterThan(20_000);
    expect(kept).toEqual(kept.map((_, i) => last - kept.length + 1 + i));
  },
);

it('none keeps nothing, and says so', async () => {
  expect(await tsrun.ok(...RUN, '--log-driver', 'none', '--name', 'mute', IMAGE, 'echo', 'hi')).toBe('hi');
  expect((await tsrun.expect(125, ['logs', 'mute'])).stderr).toContain('--log-driver none');
});

it('options that are none are refused', async () => {
  for (const option of ['max-size=0', 'max-size=big', 'max-file=0', 'max-file=x', 'colour=red'])
    await tsrun.expect(125, [...RUN, '--rm', '--log-opt', option, IMAGE, 'true']);
  await tsrun.expect(125, [...RUN, '--rm', '--log-driver', 'syslog', IMAGE, 'true']);
  for (const words of [
    ['--log-opt', 'tag=x'], // k8s-file has no place for it
    ['--log-driver', 'json-file', '--log-opt', 'tag={{.Nonsense}}'],
    ['--log-driver', 'none', '--log-opt', 'path=x.log'],
    ['--log-opt', 'path=/nonexistent/directory/x.log'],
  ])
    await tsrun.expect(125, [...RUN, '--rm', ...words, IMAGE, 'true']);
});

it('json-file is docker’s, in the file that path= names, with a tag; logs reads it back byte for byte', async () => {
  const file = join(tsrun.store.directory, 'web.json');
  const words = [
    '--log-driver',
    'json-file',
    '--log-opt',
    `path=${file}`,
    '--log-opt',
    'tag={{.Name}}/{{.ImageName}}',
  ];
  const script = 'printf "a \\"quote\\"\\t\\303\\244\\nno newline"; sleep 0.2; echo oops >&2';
  await tsrun.ok(...RUN, ...words, '--name', 'tagged', IMAGE, 'sh', '-c', script);
  const records = readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  const attrs = { tag: 'tagged/localhost/busybox:latest' };
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  expect(records).toHaveLength(3);
  expect(records).toEqual(
    expect.arrayContaining([
      { log: 'a "quote"\tä\n', stream: 'stdout', attrs, time },
      { log: 'no newline', stream: 'stdout', attrs, time },
      { log: 'oops\n', stream: 'stderr', attrs, time },
    ]),
  );
  expect(await tsrun.expect(0, ['logs', 'tagged'])).toMatchObject({
    stdout: 'a "quote"\tä\nno newline',
    stderr: 'oops\n',
  });
  expect(await tsrun.ok('inspect', '--format', '{{.LogPath}} {{.HostConfig.LogConfig.Type}}', 'tagged')).toBe(
    `${file} json-file`,
  );
});

it('of several containers: names and times before each line, the last lines, and what comes after a restart', async () => {
  for (const name of ['first', 'second'])
    await tsrun.ok(...RUN, '--name', name, IMAGE, 'sh', '-c', `echo ${name} 1; echo ${name} 2`);
  expect(await tsrun.ok('logs', '--names', '--tail', '1', 'first', 'second')).toBe(
    'first first 2\nsecond second 2',
  );
  const timed = (await tsrun.ok('logs', '-t', 'first')).split('\n');
  const [, second = ''] = timed.map((line) => line.split(' ')[0]);
  expect(timed[1]).toMatch(/^\d{4}-\S+Z first 2$/);
  await tsrun.ok('start', '-a', 'first');
  expect((await tsrun.ok('logs', 'first')).split('\n')).toHaveLength(4);
  const until = (await tsrun.ok('logs', '--until', second, 'first')).split('\n');
  const since = (await tsrun.ok('logs', '--since', second, 'first')).split('\n');
  expect(until.at(-1)).toBe('first 2');
  expect(until.length).toBe(2);
  expect(since.slice(-2)).toEqual(['first 1', 'first 2']);
  expect(await tsrun.ok('logs', '--tail', '0', 'first')).toBe('');
});

it('followed across rotations and restarts, each line once, to the end of the container', async () => {
  const counted =
    'echo x >> /count; n=$(wc -l < /count); seq $((n * 2000 - 1999)) $((n * 2000)); sleep 0.3; [ $n -ge 3 ]';
  const words = ['--log-opt', 'max-size=200k', '--log-opt', 'max-file=3', '--restart', 'on-failure:5'];
  await tsrun.ok(...RUN, '-d', ...words, '--name', 'again', IMAGE, 'sh', '-c', counted);
  const followed = await tsrun.ok('logs', '-f', 'again');
  expect(followed.split('\n').map(Number)).toEqual(Array.from({ length: 6000 }, (_, i) => i + 1));
});

it.skipIf(existsSync('/run/systemd/journal/socket'))(
  'journald is refused where there is no journal',
  async () => {
    const { stderr } = await tsrun.expect(125, [...RUN, '--rm', '--log-driver', 'journald', IMAGE, 'true']);
    expect(stderr).toMatch(/no journal on this machine[\s\S]*hint: .*k8s-file/);
  },
);
