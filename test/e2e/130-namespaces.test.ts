/** `tsrun ns`: what the kernel says of the namespaces, seen from both sides. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { beforeAll, expect, it } from 'vitest';
import { containerPids, namespaceOf } from '../support/container-processes.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const inode = (link: string | undefined): string => /\d+/.exec(link ?? '')?.[0] ?? '';

beforeAll(async () => {
  await tsrun.ok(
    'run',
    '-d',
    '--network',
    'none',
    '--name',
    'one',
    '-u',
    '1000:1000',
    IMAGE,
    'sleep',
    '1000',
  );
  await tsrun.ok('run', '-d', '--network', 'container:one', '--name', 'two', IMAGE, 'sleep', '1000');
});

it('ls: each namespace once, with those who share it', async () => {
  const rows = (await tsrun.ok('ns', 'ls', '--format', 'json')).split('\n').map((line) => JSON.parse(line));
  const { init } = await containerPids(tsrun, 'one');
  const of = (type: string) => rows.filter((row) => row.Type === type);
  expect(of('net')).toEqual([
    { Type: 'net', Namespace: inode(namespaceOf(init, 'net')), Host: 'no', Containers: 'two,one' },
  ]);
  expect(of('mnt').map((row) => row.Containers)).toEqual(['two', 'one']);
  expect(of('user')).toHaveLength(1);
});

it('inspect: processes, users and files by both names', async () => {
  const report = JSON.parse(await tsrun.ok('ns', 'inspect', 'one'));
  const { init } = await containerPids(tsrun, 'one');
  expect(report.Namespaces.find((one: { Type: string }) => one.Type === 'net')).toMatchObject({
    Path: `/proc/${init}/ns/net`,
    Host: false,
    SharedWith: ['two'],
  });
  const [process] = report.Processes;
  const outside = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${init}/status`, 'utf8'))?.[1]);
  expect(process).toEqual({
    Pid: { Inside: 1, Outside: init },
    Uid: { Inside: 1000, Outside: outside },
    Command: 'sleep 1000',
  });
  expect(report.UidMap[0]).toEqual({ Inside: 0, Outside: userInfo().uid, Size: 1 });
  expect(report.Root).toMatchObject({ Inside: '/', Outside: `/proc/${init}/root` });
});

it('enter: a command of the host, with the container’s network only', async () => {
  const { init } = await containerPids(tsrun, 'one');
  const script = 'readlink /proc/self/ns/net /proc/self/ns/uts; id -u; exit 7';
  const { stdout } = await tsrun.expect(7, ['ns', 'enter', 'one', 'sh', '-c', script]);
  expect(stdout.trim().split('\n')).toEqual([namespaceOf(init, 'net'), namespaceOf(process.pid, 'uts'), '0']);
  const names = await tsrun.ok(
    'ns',
    'enter',
    '--uts',
    '--mnt',
    'one',
    'sh',
    '-c',
    'hostname; ls /etc/shadow',
  );
  expect(names).toBe(
    `${(await tsrun.ok('inspect', '-f', '{{.Config.Hostname}}', 'one')).trim()}\n/etc/shadow`,
  );
});

it('of a container that does not run: refused with what to do', async () => {
  await tsrun.ok('create', '--network', 'none', '--name', 'still', IMAGE, 'true');
  for (const words of [
    ['inspect', 'still'],
    ['enter', 'still', 'true'],
  ])
    expect((await tsrun.expect(125, ['ns', ...words])).stderr).toContain('tsrun start still');
});
