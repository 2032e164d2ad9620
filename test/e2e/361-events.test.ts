/** `tsrun events`: what commands and supervisors have written into one log that nobody serves. */
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const HOUR = ['--since', '1h', '--no-stream'];

type Json = Record<string, unknown> & { Status: string; Name: string; Attributes: Record<string, string> };

const json = (text: string): Json[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const events = async (...words: string[]): Promise<Json[]> =>
  json(await tsrun.ok('events', ...HOUR, '--format', 'json', ...words));
const statuses = async (...words: string[]): Promise<string> =>
  (await events(...words)).map(({ Status }) => Status).join(' ');

it('tells a container’s life in podman’s words and fields', async () => {
  await tsrun.expect(3, ['run', '--name', 'life', '--label', 'role=front', IMAGE, 'sh', '-c', 'exit 3']);
  await tsrun.ok('rm', 'life');
  const seen = await events('--filter', 'container=life');
  expect(seen.map(({ Status }) => Status)).toEqual(['create', 'init', 'start', 'attach', 'died', 'remove']);
  const died = seen[4];
  expect(Object.keys(died ?? {})).toEqual([
    ...['ContainerExitCode', 'ID', 'Image', 'Name', 'Status', 'time', 'timeNano', 'Type', 'Attributes'],
  ]);
  expect(died).toMatchObject({
    ContainerExitCode: 3,
    Image: 'localhost/busybox:latest',
    Type: 'container',
    Attributes: { role: 'front' },
  });
  const line = await tsrun.ok('events', ...HOUR, '--filter', 'event=die', '--filter', 'label=role=front');
  expect(line).toMatch(
    /^\d{4}-\d\d-\d\d [\d:]{8}\.\d{9} \+0000 UTC container died [0-9a-f]{64} \(image=localhost\/busybox:latest, name=life, role=front\)$/,
  );
  expect(
    await tsrun.ok(
      ...['events', ...HOUR, '--filter', 'container=life', '--filter', 'event=died', '--format'],
      '{{.Action}} {{.Actor.Attributes.exitCode}} {{.Actor.Attributes.name}} {{.ContainerExitCode}}',
    ),
  ).toBe('die 3 life 3');
});

it('has what supervisors alone have seen: ends, restarts, health; and what commands have done', async () => {
  await tsrun.ok('run', '-d', '--name', 'again', '--restart', 'on-failure:1', IMAGE, 'false');
  await until('its second end', async () =>
    /died restart init start died$/.test(await statuses('--filter', 'container=again')),
  );
  const check = ['--health-cmd', 'true', '--health-interval', '100ms'];
  await tsrun.ok('run', '-d', '--name', 'long', ...check, IMAGE, 'sleep', '1000');
  await until('its health', async () => (await statuses('--filter', 'container=long')).includes('health'));
  await tsrun.expect(7, ['exec', 'long', 'sh', '-c', 'exit 7']);
  await tsrun.ok('kill', '-s', 'USR1', 'long');
  await tsrun.ok('rename', 'long', 'longer');
  await tsrun.ok('stop', '-t', '0', 'longer');
  const [, , , health, ...rest] = await events('--filter', 'container=long', '--filter', 'container=longer');
  expect(health).toMatchObject({ Status: 'health_status', health_status: 'healthy' });
  expect(rest.map(({ Status, Name }) => `${Status} ${Name}`)).toEqual([
    'exec long',
    'exec_died long',
    'kill long',
    'rename longer',
    'stop longer',
    // Its supervisor does not know of the new name: the reader does.
    'died longer',
  ]);
  expect(rest[1]).toMatchObject({ ContainerExitCode: 7 });
  expect(rest[2]?.Attributes).toEqual({ signal: '10' });
});

it('a --rm container is removed by its supervisor, which says so', async () => {
  await tsrun.ok('run', '--rm', '--name', 'gone', IMAGE, 'true');
  expect(await statuses('--filter', 'container=gone')).toBe('create init start attach died remove');
  // What never ran has not died.
  await tsrun.expect(127, ['run', '--rm', '--name', 'never', IMAGE, 'no-such-command']);
  expect(await statuses('--filter', 'container=never')).toBe('create remove');
});

it('follows; ends at --until; and is filtered by type', async () => {
  const following = tsrun.start(['events', '--filter', 'type=volume', '--format', '{{.Status}} {{.Name}}']);
  let seen = '';
  following.child.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  // The first one that it sees says that it is there.
  let count = 0;
  await until('an event', async () => {
    await tsrun.ok('volume', 'create', `v${count++}`);
    return seen !== '';
  });
  await tsrun.ok('volume', 'rm', 'v0');
  await until('the removal', () => seen.includes('remove v0\n'));
  following.child.kill('SIGTERM');
  await following.ended;
  const bounded = await tsrun.expect(0, [
    'events',
    '--since',
    '1h',
    '--until',
    '1s',
    '--filter',
    'type=volume',
  ]);
  expect(bounded.stdout).toMatch(/ volume create v0\n/);
});

it('is bounded, rotated once however many find it full, and survives a torn line', async () => {
  const path = join(tsrun.store.root, 'events.log');
  const before = JSON.parse(readFileSync(path, 'utf8').split('\n')[0] ?? '') as object;
  const filler = `${JSON.stringify({ ...before, time: '2020-01-01T00:00:00.000000000Z', type: 'system' })}\n`;
  writeFileSync(path, filler.repeat(Math.ceil((1 << 20) / filler.length)));
  const names = ['one', 'two', 'three', 'four'];
  await Promise.all(names.map((name) => tsrun.ok('run', '-d', '--name', `full-${name}`, IMAGE, 'true')));
  for (const name of names)
    await until(`the end of ${name}`, async () =>
      (await statuses('--filter', `container=full-${name}`)).includes('create init start died'),
    );
  expect(statSync(`${path}.1`).size).toBeGreaterThanOrEqual(1 << 20);
  expect(statSync(path).size).toBeLessThan(1 << 16);
  // A power cut: half a line, and no newline before the next one.
  appendFileSync(path, filler.slice(0, 50));
  await tsrun.ok('volume', 'create', 'after');
  expect(await statuses('--filter', 'volume=after')).toBe('create');
});
