/** `inspect`: the fields that templates of docker and podman ask for, and that what they say is so. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const inspect = (name: string, template: string): Promise<string> =>
  tsrun.ok('inspect', '-f', template, name);

it('the network is what the container itself sees', async () => {
  await tsrun.ok('run', '-d', '--name', 'web', '-p', '127.0.0.1:18360:80', IMAGE, 'sleep', '1000');
  const address = await inspect('web', '{{.NetworkSettings.IPAddress}}');
  expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  expect(await tsrun.ok('exec', 'web', 'ip', 'addr')).toContain(
    `inet ${address}/${await inspect('web', '{{.NetworkSettings.IPPrefixLen}}')}`,
  );
  expect(await tsrun.ok('exec', 'web', 'ip', 'route')).toContain(
    `default via ${await inspect('web', '{{.NetworkSettings.Gateway}}')}`,
  );
  expect(await tsrun.ok('exec', 'web', 'ip', 'link')).toContain(
    await inspect('web', '{{.NetworkSettings.MacAddress}}'),
  );
  expect(await inspect('web', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')).toBe(address);
  expect(await inspect('web', '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}')).toBe(
    '18360',
  );
  await tsrun.ok('kill', 'web');
  expect(await inspect('web', '[{{.NetworkSettings.IPAddress}}]')).toBe('[]');
  await tsrun.ok('rm', 'web');
});

it('HostConfig tells what was asked for', async () => {
  await tsrun.ok(
    ...[
      'create',
      '--name',
      'c',
      '--network',
      'none',
      '--cap-add',
      'NET_ADMIN',
      '--cap-drop',
      'CHOWN',
      '--shm-size',
      '1m',
    ],
    ...[
      '--security-opt',
      'no-new-privileges',
      '--tmpfs',
      '/t:size=1m',
      '-v',
      'data:/data',
      '-v',
      '/anonymous',
    ],
    ...[
      '-v',
      '/etc:/host:ro',
      '--ulimit',
      'nofile=100:200',
      '--uts',
      'host',
      '--expose',
      '81',
      IMAGE,
      'true',
    ],
  );
  const [document] = JSON.parse(await tsrun.ok('inspect', 'c'));
  const { HostConfig: host, Config: config } = document;
  expect(host).toMatchObject({
    CapAdd: ['CAP_NET_ADMIN'],
    CapDrop: ['CAP_CHOWN'],
    SecurityOpt: ['no-new-privileges'],
    ShmSize: 1 << 20,
    UTSMode: 'host',
    PidMode: 'private',
    IpcMode: 'private',
    UsernsMode: 'host',
    NetworkMode: 'none',
    Memory: 0,
    Ulimits: [{ Name: 'RLIMIT_NOFILE', Soft: 100, Hard: 200 }],
  });
  expect(host.Binds.map((text: string) => text.split(':').slice(0, 2))).toEqual([
    ['data', '/data'],
    ['/etc', '/host'],
  ]);
  expect(host.Tmpfs['/t']).toContain('size=1m');
  expect(Object.keys(config.Volumes)).toEqual(['/anonymous']);
  expect(Object.keys(config.ExposedPorts)).toEqual(['81/tcp']);
  expect(document.GraphDriver.Data.LowerDir).toMatch(/^\/.*\/diff$/);
  expect(document.BoundingCaps).toContain('CAP_NET_ADMIN');
  expect(document.State).toMatchObject({ Status: 'created', Running: false, Pid: 0, ExitCode: 0, Error: '' });
});

it('volumes and networks are inspected too, by --type or by their name alone', async () => {
  await tsrun.ok('volume', 'create', 'some-data');
  await tsrun.ok('network', 'create', 'some-net');
  expect(await tsrun.ok('inspect', '-f', '{{.Name}} {{.Driver}}', 'some-data', 'some-net')).toBe(
    'some-data local\nsome-net bridge',
  );
  expect(await tsrun.ok('inspect', '--type', 'volume', '-f', '{{.Scope}}', 'some-data')).toBe('local');
  await tsrun.expect(125, ['inspect', '--type', 'network', 'some-data']);
  await tsrun.ok('network', 'rm', 'some-net');
});

it('of several containers each line of the log begins with its container', async () => {
  const ids = [];
  for (const word of ['one', 'two'])
    ids.push(await tsrun.ok('run', '-d', '--network', 'none', 'localhost/busybox', 'echo', word));
  for (const id of ids) await tsrun.ok('wait', id);
  const [one = '', two = ''] = ids;
  expect(await tsrun.ok('logs', ...ids)).toBe(`${one.slice(0, 12)} one\n${two.slice(0, 12)} two`);
});

// The file of --cidfile was kept nowhere, and what the image exposes not either.
it('the file with its id, and the ports that it and its image expose, are known to inspect and ps', async () => {
  const file = join(tsrun.store.directory, 'web.cid');
  const words = ['--name', 'exposing', '--expose', '53/udp', '--cidfile', 'web.cid', 'localhost/httpd'];
  await tsrun.expect(0, ['create', ...words], { cwd: tsrun.store.directory });
  const own = '{{.HostConfig.ContainerIDFile}} {{json .Config.ExposedPorts}}';
  expect(await inspect('exposing', own)).toBe(`${file} {"53/udp":{},"80/tcp":{}}`);
  const listed = ['ps', '-a', '--filter', 'name=exposing', '--format'];
  expect(await tsrun.ok(...listed, '{{.CIDFile}} {{.ExposedPorts}}')).toBe(`${file} map[53:[udp] 80:[tcp]]`);
});
