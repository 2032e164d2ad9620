/** `tsrun stats`: what a container uses, from /proc; what cannot be known is `--`. */
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';

const stats = async (...words: string[]): Promise<Record<string, string>[]> =>
  (await tsrun.ok('stats', '--no-stream', '--format', 'json', ...words))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const percent = (text = ''): number => Number(/^(\d+\.\d\d)%$/.exec(text)?.[1]);
/** `12.5MiB / 4GiB` → 12.5 × 2²⁰ */
const bytes = (text = ''): number => {
  const [, figure, unit = ''] = /^([\d.]+)(\w+)/.exec(text) ?? [];
  return Number(figure) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit);
};

it('shows the busy one busy, the large one large, and what is not known as --', async () => {
  const run = (name: string, ...words: string[]) =>
    tsrun.ok('run', '-d', '--name', name, '--network', 'none', IMAGE, ...words);
  await run('busy', 'sh', '-c', 'sleep 1000 & while :; do :; done');
  await run('idle', 'sleep', '1000');
  // dd holds a block of 64 MiB while it waits for somebody to read.
  await run(
    'large',
    'sh',
    '-c',
    'mkfifo /p; sleep 1000 < /p & dd if=/dev/zero of=/p bs=64M count=1; sleep 1000',
  );
  await tsrun.ok('create', '--name', 'made', IMAGE);
  await until('the large one is large', async () => bytes((await stats('large'))[0]?.MemUsage) > 60 << 20);
  const [busy, idle, made] = await stats('busy', 'idle', 'made');
  expect(percent(busy?.CPUPerc)).toBeGreaterThan(0);
  expect(percent(idle?.CPUPerc)).toBeLessThan(percent(busy?.CPUPerc));
  expect([busy?.PIDs, idle?.PIDs, made?.PIDs]).toEqual(['2', '1', '--']);
  expect(bytes(idle?.MemUsage)).toBeGreaterThan(1000);
  expect(bytes(idle?.MemUsage)).toBeLessThan(16 << 20);
  expect(made).toMatchObject({ CPUPerc: '--', MemUsage: '-- / --', NetIO: '-- / --', Name: 'made' });
  // A network without any interface but the loopback one has no traffic to be told of.
  expect(idle?.NetIO).toBe('-- / --');
});

it('lists those that run, and with -a all; as a table under docker’s headings', async () => {
  const table = await tsrun.ok('stats', '--no-stream');
  expect(table.split('\n')[0]?.split(/\s{2,}/)).toEqual([
    'CONTAINER ID',
    'NAME',
    'CPU %',
    'MEM USAGE / LIMIT',
    'MEM %',
    'NET I/O',
    'BLOCK I/O',
    'PIDS',
  ]);
  const names = async (...words: string[]) =>
    (await tsrun.ok('stats', '--no-stream', '--format', '{{.Name}}', ...words)).split('\n').sort();
  expect(await names()).toEqual(['busy', 'idle', 'large']);
  expect(await names('-a')).toEqual(['busy', 'idle', 'large', 'made']);
  expect((await tsrun.expect(125, ['stats', '--no-stream', 'nobody'])).stderr).toContain('nobody');
  await tsrun.ok('rm', '-f', 'busy', 'idle', 'large', 'made');
});

it('counts what leaves through the container’s network; a share of this machine’s is not known', async () => {
  await tsrun.ok('run', '-d', '--name', 'own', '--cap-add', 'NET_RAW', IMAGE, 'sleep', '1000');
  await tsrun.ok('run', '-d', '--name', 'host', '--network', 'host', IMAGE, 'sleep', '1000');
  const gateway = await tsrun.ok('inspect', '-f', '{{.NetworkSettings.Gateway}}', 'own');
  // Whether anybody answers is not the question.
  await tsrun.run(['exec', 'own', 'ping', '-c', '1', '-W', '1', '-s', '20000', gateway]);
  const [own, host] = await stats('own', 'host');
  expect(own?.NetIO).toMatch(/^[\d.]+k?B \/ [\d.]+kB$/);
  expect(Number.parseFloat(own?.NetIO?.split(' / ')[1] ?? '')).toBeGreaterThan(20);
  expect(own?.BlockIO).toMatch(/^[\d.]+[kMG]?B \/ [\d.]+[kMG]?B$/);
  expect(host?.NetIO).toBe('-- / --');
  await tsrun.ok('rm', '-f', 'own', 'host');
});
