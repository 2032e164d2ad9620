/**
 * What a user may ask of bridge networks beyond a name: routes, names of interfaces, addresses. What cannot be had is refused before anything
 * is made: a wrong --ip once left a container behind that could not be started, and had the name that the next try wanted.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const SUBNETS = ['--subnet', '192.168.81.0/24', '--subnet', 'fd00:5eed:81::/64'];
const refused = async (...words: string[]): Promise<string> => (await tsrun.expect(125, words)).stderr;

afterEach(async () => {
  await tsrun.run(['rm', '-fa']);
  await tsrun.run(['network', 'prune', '-f']);
});

describe('network create --route', () => {
  it('gives containers a way behind another one, in both versions, also when they are connected later', async () => {
    await tsrun.ok(
      'network',
      'create',
      ...SUBNETS,
      '--route',
      '198.18.7.0/24,192.168.81.9',
      '--route',
      'fd00:7::/64,fd00:5eed:81::9,7',
      'back',
    );
    const router = ['--ip', '192.168.81.9', '--ip6', 'fd00:5eed:81::9', '--cap-add', 'NET_ADMIN'];
    const script = 'ip address add 198.18.7.1/24 dev lo; exec httpd -f -p 80 -h /etc';
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'router',
      '--network',
      'back',
      ...router,
      IMAGE,
      'sh',
      '-c',
      script,
    );
    const look = 'ip route; ip -6 route; wget -q -O - http://198.18.7.1/hostname';
    const said = await tsrun.ok('run', '--rm', '--network', 'back', IMAGE, 'sh', '-c', look);
    expect(said).toMatch(/^198\.18\.7\.0\/24 via 192\.168\.81\.9 dev eth0 +metric 100/m);
    expect(said).toMatch(/^fd00:7::\/64 via fd00:5eed:81::9 dev eth0 +metric 7/m);
    expect(said.trimEnd().split('\n').at(-1)).toBe(await tsrun.ok('exec', 'router', 'hostname'));
    await tsrun.ok('run', '-d', '--name', 'late', IMAGE, 'sleep', '600');
    await tsrun.ok('network', 'connect', 'back', 'late');
    expect(await tsrun.ok('exec', 'late', 'ip', 'route')).toContain(
      '198.18.7.0/24 via 192.168.81.9 dev eth1',
    );
    await tsrun.ok('network', 'disconnect', 'back', 'late');
    expect(await tsrun.ok('exec', 'late', 'ip', 'route')).not.toContain('198.18.7.0');
    expect(JSON.parse(await tsrun.ok('network', 'inspect', '-f', '{{json .Routes}}', 'back'))).toEqual([
      { Destination: '198.18.7.0/24', Gateway: '192.168.81.9', Metric: 100 },
      { Destination: 'fd00:7::/64', Gateway: 'fd00:5eed:81::9', Metric: 7 },
    ]);
  });

  it.each([
    ['198.18.7.0/24', 'not an IP address'],
    ['198.18.7.0,192.168.81.9', '"198.18.7.0" is not a subnet'],
    ['198.18.7.0/24,fd00::9', 'one is IPv4, the other IPv6'],
    ['198.18.7.0/24,192.168.81.9,fast', 'a metric is a number'],
    ['198.18.7.0/24,192.168.82.9', 'no container of the network can have the address 192.168.82.9'],
  ])('refuses %s', async (route, problem) => {
    expect(await refused('network', 'create', ...SUBNETS, '--route', route, 'back')).toContain(problem);
    expect((await tsrun.run(['network', 'exists', 'back'])).status).toBe(1);
  });
});

it('what network create has not got is refused with what there is instead', async () => {
  for (const [words, hint] of [
    [['--interface-name', 'br7'], 'interface_name=NAME'],
    [['--ipam-driver', 'dhcp'], '--ip-range'],
    [['--ipam-driver', 'none'], '--network none'],
    [['--attachable'], 'any container can be connected'],
    [['--config-only'], 'tsrun network create NAME'],
  ] as const) {
    expect(await refused('network', 'create', ...words, 'back')).toMatch(new RegExp(`^hint: .*${hint}`, 'm'));
  }
  await tsrun.ok('network', 'create', '--ipam-driver', 'host-local', 'back');
});

it('interface_name= names the interface in the container; the others are eth0, eth1, …', async () => {
  for (const name of ['one', 'two', 'three']) await tsrun.ok('network', 'create', name);
  const networks = ['--network', 'one:interface_name=eth1', '--network', 'two', '--network', 'three'];
  await tsrun.ok('run', '-d', '--name', 'web', ...networks, IMAGE, 'sleep', '600');
  const named = '{{range $name, $it := .NetworkSettings.Networks}}{{$name}} {{$it.IPAddress}}\n{{end}}';
  const addresses = new Map(
    (await tsrun.ok('inspect', '-f', named, 'web'))
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  const shown = await tsrun.ok('exec', 'web', 'ip', '-4', '-o', 'address', 'show');
  for (const [network, device] of [
    ['one', 'eth1'],
    ['two', 'eth0'],
    ['three', 'eth2'],
  ] as const) {
    expect(shown).toMatch(new RegExp(`${device} +inet ${addresses.get(network)}/`));
  }
  const bad = await refused('run', '--rm', '--network', 'one:interface_name=lo', IMAGE, 'true');
  expect(bad).toContain('"lo" cannot be the name of an interface');
});

describe('before anything is made or pulled', () => {
  const UNPULLED = '127.0.0.1:1/never:pulled';
  const run = (...words: string[]) => refused('run', '-d', '--name', 'web', ...words);

  it('an address that no container of the network can have is refused', async () => {
    await tsrun.ok('network', 'create', '--subnet', '192.168.81.0/24', 'back');
    for (const [words, problem] of [
      [['--ip', '192.168.82.5'], 'it is not in 192.168.81.0/24'],
      [['--ip', '192.168.81.1'], 'the bridge’s own'],
      [['--ip6', 'fd00::5'], 'it has no IPv6 subnet'],
    ] as const) {
      expect(await run('--network', 'back', ...words, UNPULLED)).toContain(problem);
      const create = ['create', '--name', 'web', '--network', 'back'];
      expect(await refused(...create, ...words, UNPULLED)).toContain(problem);
    }
    await tsrun.ok('create', '--name', 'web', IMAGE, 'true');
    expect(await refused('network', 'connect', '--ip', '192.168.81.1', 'back', 'web')).toContain(
      'bridge’s own',
    );
    await tsrun.ok('rm', 'web');
    expect(await run('--network', 'nowhere', UNPULLED)).toContain('there is no network "nowhere"');
    expect(await tsrun.ok('ps', '-aq')).toBe('');
  });

  it('an address that another container has is refused, but of no use to whom it is replaced by', async () => {
    await tsrun.ok('network', 'create', '--subnet', '192.168.81.0/24', 'back');
    const asked = ['--network', 'back', '--ip', '192.168.81.5'];
    await tsrun.ok('run', '-d', '--name', 'first', ...asked, IMAGE, 'sleep', '600');
    expect(await run(...asked, UNPULLED)).toMatch(
      /192\.168\.81\.5 in the network "back": [0-9a-f]{12} has it/,
    );
    expect(await tsrun.ok('ps', '-a', '--format', '{{.Names}}')).toBe('first');
    await tsrun.ok('run', '-d', '--name', 'first', '--replace', ...asked, IMAGE, 'sleep', '600');
    // Started later, it may well have it.
    await tsrun.ok('create', '--name', 'second', ...asked, IMAGE, 'sleep', '600');
    await tsrun.ok('rm', '-f', 'first');
    await tsrun.ok('start', 'second');
  });
});

// An automatic IPv6 address ended as the IPv4 one at any price: with a small IPv6 subnet, or where another had asked for it, nothing started.
it('an automatic IPv6 address is another one where the likeliest is taken, or not in the subnet', async () => {
  await tsrun.ok(
    'network',
    'create',
    '--subnet',
    '192.168.81.0/24',
    '--subnet',
    'fd00:5eed:81::/126',
    'back',
  );
  await tsrun.ok('run', '-d', '--network', 'back', '--ip6', 'fd00:5eed:81::2', IMAGE, 'sleep', '600');
  const show = ['ip', '-6', '-o', 'address', 'show', 'scope', 'global'];
  const said = await tsrun.ok('run', '--rm', '--network', 'back', '--ip', '192.168.81.77', IMAGE, ...show);
  expect(said).toContain('fd00:5eed:81::3/126');
});
