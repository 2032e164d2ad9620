/** Bridge networks that a user makes: their subnets, who reaches whom, containers that come and go, and what is left of them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { untilServed } from '../support/http.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const SERVE = [IMAGE, 'httpd', '-f', '-p', '80', '-h', '/etc'];

const inNetwork = (network: string, ...words: string[]): string[] => [
  'run',
  '--rm',
  '--network',
  network,
  ...words,
];
const addressIn = (network: string, name: string): Promise<string> =>
  tsrun.ok('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name);
/** Exits with 0 if `address` answers on port 80. */
const dial = (address: string): string[] => [IMAGE, 'nc', '-w', '2', address, '80'];
const networks = async (): Promise<string[]> => (await tsrun.ok('network', 'ls', '-q')).split('\n');

describe('network create', () => {
  it('prints the name; the subnets of two networks do not meet', async () => {
    expect(await tsrun.ok('network', 'create', 'front')).toBe('front');
    expect(await tsrun.ok('network', 'create', '--label', 'use=test', 'back')).toBe('back');
    const subnets = await Promise.all(
      ['bridge', 'front', 'back'].map((name) =>
        tsrun.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', name),
      ),
    );
    expect(new Set(subnets).size).toBe(3);
    expect(await networks()).toEqual(['bridge', 'back', 'front']);
    expect(await tsrun.ok('network', 'ls', '-q', '--filter', 'label=use=test')).toBe('back');
    expect(await tsrun.ok('network', 'ls', '-q', '--filter', 'name=^b.*k$')).toBe('back');
    await tsrun.expect(0, ['network', 'exists', 'front']);
    await tsrun.expect(1, ['network', 'exists', 'nowhere']);
  });

  // The example of podman-network-inspect(1) was "there is no .Subnets".
  it('is shown by templates that were written for podman', async () => {
    const subnets = '{{range .Subnets}}{{.Subnet}} {{.Gateway}}{{end}}';
    const config = '{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}';
    const shown = await tsrun.ok('network', 'inspect', '-f', config, 'bridge');
    expect(await tsrun.ok('network', 'inspect', '-f', '{{(index .Subnets 0).Subnet}}', 'front')).toMatch(
      /\/24$/,
    );
    expect(await tsrun.ok('network', 'inspect', '-f', subnets, 'bridge')).toBe(shown);
    expect(await tsrun.ok('inspect', '-f', subnets, 'bridge')).toBe(shown);
    const fields = '{{.Name}} {{.NetworkInterface}} {{.IPv6Enabled}} {{.DNSEnabled}} {{.Options}}';
    expect(await tsrun.ok('network', 'ls', '--filter', 'name=bridge', '--format', fields)).toMatch(
      /^bridge tsrun0 (?:true|false) true map\[\]$/,
    );
    expect(
      JSON.parse(await tsrun.ok('network', 'ls', '--filter', 'name=bridge', '--format', 'json')),
    ).not.toHaveProperty('Subnets');
  });

  it('takes a subnet, a gateway, a range, an MTU', async () => {
    const words = [
      '--subnet',
      '192.168.77.0/24',
      '--gateway',
      '192.168.77.9',
      '--ip-range',
      '192.168.77.128/30',
    ];
    await tsrun.ok('network', 'create', ...words, '--opt', 'mtu=1400', 'chosen');
    const said = await tsrun.ok(...inNetwork('chosen', IMAGE, 'sh', '-c', 'ip address show eth0; ip route'));
    expect(said).toContain('inet 192.168.77.128/24');
    expect(said).toContain('default via 192.168.77.9');
    expect(said).toContain('mtu 1400');
  });

  // podman has ranges that are no subnets, and a word for what every network here is.
  it('takes a range of addresses from one to another, and isolate=true', async () => {
    const words = ['--subnet', '192.168.76.0/24', '--ip-range', '192.168.76.20-192.168.76.21'];
    await tsrun.ok('network', 'create', ...words, '--opt', 'isolate=true', 'few');
    expect(await tsrun.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).IPRange}}', 'few')).toBe(
      '192.168.76.20-192.168.76.21',
    );
    for (const [name, address] of [
      ['few1', '192.168.76.20'],
      ['few2', '192.168.76.21'],
    ] as const) {
      await tsrun.ok('run', '-d', '--name', name, '--network', 'few', IMAGE, 'sleep', '600');
      expect(await addressIn('few', name)).toBe(address);
    }
    const third = await tsrun.expect(125, inNetwork('few', IMAGE, 'true'));
    expect(third.stderr).toContain('all of 192.168.76.20-192.168.76.21 are in use');
    await tsrun.ok('network', 'rm', '-f', 'few');
    const apart = await tsrun.expect(125, ['network', 'create', '--opt', 'isolate=false', 'few']);
    expect(apart.stderr).toContain('containers of different networks never reach each other');
  });

  it.each([
    [['--subnet', '192.168.79.0/24', '--ip-range', '192.168.79.250-192.168.80.2'], 'in no subnet'],
    [['--subnet', '192.168.79.0/24', '--ip-range', '192.168.79.9-192.168.79.2'], 'not a range'],
    [['--subnet', '192.168.77.128/25'], 'overlaps 192.168.77.0/24 of the network "chosen"'],
    // They were made, and no container on them could be started, or reach anything.
    [['--subnet', '127.1.0.0/16'], 'loopback addresses'],
    [['--subnet', '239.0.0.0/24'], 'multicast and reserved addresses'],
    [['--subnet', 'fe80::/64'], 'link-local addresses'],
    [['--subnet', '192.168.78.0/24', '--gateway', '192.168.78.255'], 'no host’s'],
    [['--gateway', '192.168.78.1'], 'in which subnet?'],
    [['--subnet', '192.168.78.0/31'], 'no room'],
    [['--subnet', '192.168.78.0/24', '--gateway', '192.168.79.1'], 'in no subnet'],
    [['--opt', 'mtu=9'], 'an MTU is between'],
    [['--subnet', '192.168.78.0/24', '--subnet', '192.168.79.0/24'], 'one of each version'],
  ])('refuses %j', async (words, problem) => {
    const { stderr } = await tsrun.expect(125, ['network', 'create', ...words, 'bad']);
    expect(stderr).toContain(problem);
  });

  it.each([
    ['front', 'there is a network'],
    ['host', 'cannot be the name'],
    // It was once a bug in tsrun: a name too long for a file.
    ['n'.repeat(129), 'cannot be the name'],
    ['a/b', 'cannot be the name'],
  ])('refuses the name %s', async (name, problem) => {
    expect((await tsrun.expect(125, ['network', 'create', name])).stderr).toContain(problem);
  });

  it('a mode of --network is no network: it is neither connected nor had beside one, and no hint says to create it', async () => {
    const { stderr } = await tsrun.expect(125, ['network', 'connect', 'host', 'any']);
    expect(stderr).toContain('there is no container "any"');
    for (const words of [
      ['network', 'inspect', 'host'],
      ['run', '--rm', '--network', 'front', '--network', 'none', IMAGE, 'true'],
    ]) {
      const { stderr } = await tsrun.expect(125, words);
      expect(stderr).toMatch(/"host" is a mode of --network|none cannot be had together/);
      expect(stderr).not.toContain('network create');
    }
  });

  it('a network may be named as docker’s newer option does it', async () => {
    const words = 'name=chosen,ip=192.168.77.200,mac-address=02:00:00:00:00:aa,alias=same';
    const script = 'ip -4 -o address show eth0; cat /sys/class/net/eth0/address; nslookup same';
    const said = await tsrun.ok(...inNetwork(words, IMAGE, 'sh', '-c', script));
    expect(said).toContain('inet 192.168.77.200/24');
    expect(said).toContain('02:00:00:00:00:aa');
    expect(said).toContain('Address: 192.168.77.200');
  });

  it('when all addresses are in use, that is said, and of which', async () => {
    await tsrun.ok('network', 'create', '--subnet', '192.168.79.0/30', 'tiny');
    await tsrun.ok('run', '-d', '--name', 'alone', '--network', 'tiny', IMAGE, 'sleep', '1000');
    const { stderr } = await tsrun.expect(125, inNetwork('tiny', IMAGE, 'true'));
    expect(stderr).toContain(
      'cannot have an address in the network "tiny": all of 192.168.79.0/30 are in use',
    );
    await tsrun.ok('network', 'rm', '-f', 'tiny');
  });

  it('a network that is not there is named', async () => {
    const { stderr } = await tsrun.expect(125, inNetwork('nowhere', IMAGE, 'true'));
    expect(stderr).toContain('there is no network "nowhere"');
  });
});

describe('who reaches whom', () => {
  it('containers of one network do, by name and address', async () => {
    await tsrun.ok('run', '-d', '--name', 'web', '--network', 'front', ...SERVE);
    await untilServed(tsrun, 'web');
    const address = await addressIn('front', 'web');
    await tsrun.ok(...inNetwork('front', ...dial(address)));
    expect(await tsrun.ok(...inNetwork('front', IMAGE, 'nslookup', 'web'))).toContain(
      `Address: ${address}\n`,
    );
  });

  it('those of another do not, whatever address they try, nor learn its name', async () => {
    const address = await addressIn('front', 'web');
    await tsrun.expect(1, inNetwork('back', ...dial(address)));
    await tsrun.expect(1, inNetwork('bridge', ...dial(address)));
    const route = [
      'sh',
      '-c',
      `ip route add ${address} via $(ip route | grep -o 'via [0-9.]*' | cut -d' ' -f2); nc -w 2 ${address} 80`,
    ];
    await tsrun.expect(1, inNetwork('back', '--cap-add', 'NET_ADMIN', IMAGE, ...route));
    const { stdout } = await tsrun.run(inNetwork('back', IMAGE, 'nslookup', 'web.dns.tsrun'));
    expect(stdout).toContain('NXDOMAIN');
  });

  it('a container on both networks reaches both, and is found in both', async () => {
    const both = ['run', '-d', '--name', 'gate', '--network', 'front', '--network', 'back:alias=door'];
    await tsrun.ok(...both, ...SERVE);
    await untilServed(tsrun, 'gate');
    await tsrun.ok('exec', 'gate', 'nc', '-w', '2', await addressIn('front', 'web'), '80');
    const back = await addressIn('back', 'gate');
    expect(await tsrun.ok(...inNetwork('back', IMAGE, 'nslookup', 'door'))).toContain(`Address: ${back}\n`);
    await tsrun.ok(...inNetwork('back', ...dial(back)));
    await tsrun.ok('rm', '-f', 'gate');
  });

  it('from an internal network nothing leads out, not even names', async () => {
    await tsrun.ok('network', 'create', '--internal', 'vault');
    await tsrun.ok('run', '-d', '--name', 'safe', '--network', 'vault', ...SERVE);
    await untilServed(tsrun, 'safe');
    await tsrun.ok(...inNetwork('vault', ...dial(await addressIn('vault', 'safe'))));
    const script = 'ip route; nslookup example.org; cat /etc/resolv.conf';
    const { stdout } = await tsrun.run(inNetwork('vault', IMAGE, 'sh', '-c', script));
    expect(stdout).not.toContain('default');
    expect(stdout).toContain('NXDOMAIN');
    await tsrun.ok('rm', '-f', 'safe');
  });

  it('with --disable-dns the host’s servers are asked directly', async () => {
    await tsrun.ok('network', 'create', '--disable-dns', 'plain');
    expect(await tsrun.ok(...inNetwork('plain', IMAGE, 'cat', '/etc/resolv.conf'))).not.toContain(
      'dns.tsrun',
    );
  });
});

describe('connect and disconnect', () => {
  it('give a running container one more network, and take it away', async () => {
    await tsrun.ok('network', 'connect', '--alias', 'late', 'back', 'web');
    const back = await addressIn('back', 'web');
    await tsrun.ok(...inNetwork('back', ...dial(back)));
    expect(await tsrun.ok(...inNetwork('back', IMAGE, 'nslookup', 'late'))).toContain(`Address: ${back}\n`);
    const [record] = JSON.parse(await tsrun.ok('network', 'inspect', 'back')) as [{ Containers: object }];
    expect(Object.values(record.Containers)).toMatchObject([{ Name: 'web', IPv4Address: `${back}/24` }]);
    await tsrun.ok('network', 'disconnect', 'back', 'web');
    await tsrun.expect(1, inNetwork('back', ...dial(back)));
    expect(await tsrun.ok('exec', 'web', 'ip', 'link')).not.toContain('eth1');
    const { stdout } = await tsrun.run(inNetwork('back', IMAGE, 'nslookup', 'late.dns.tsrun'));
    expect(stdout).toContain('NXDOMAIN');
  });

  it('are remembered for its next start', async () => {
    await tsrun.ok('stop', '-t', '0', 'web');
    await tsrun.ok('network', 'connect', 'back', 'web');
    await tsrun.ok('start', 'web');
    await untilServed(tsrun, 'web');
    await tsrun.ok(...inNetwork('back', ...dial(await addressIn('back', 'web'))));
  });

  it('refuse what cannot be', async () => {
    expect((await tsrun.expect(125, ['network', 'connect', 'back', 'web'])).stderr).toContain('already');
    expect((await tsrun.expect(125, ['network', 'disconnect', 'plain', 'web'])).stderr).toContain(
      'not on the network',
    );
    await tsrun.ok('network', 'disconnect', '-f', 'plain', 'web');
    await tsrun.ok('create', '--name', 'alone', '--network', 'none', IMAGE, 'true');
    expect((await tsrun.expect(125, ['network', 'connect', 'back', 'alone'])).stderr).toContain(
      '--network none',
    );
  });
});

// Its next start failed with ENODATA: the kernel was sent nothing, and asked what it thought of that.
it('a container that was taken off its only network starts, with nothing but a loopback, until it is connected again', async () => {
  await tsrun.ok('run', '-d', '--name', 'lonely', '--network', 'plain', '-p', '127.0.0.1::80', ...SERVE);
  await tsrun.ok('network', 'disconnect', 'plain', 'lonely');
  await tsrun.ok('restart', '-t', '0', 'lonely');
  const interfaces = () => tsrun.ok('exec', 'lonely', 'ls', '/sys/class/net');
  expect(await interfaces()).toBe('lo');
  await until('it serves itself', async () => {
    const { status } = await tsrun.run([
      'exec',
      'lonely',
      'wget',
      '-q',
      '-O',
      '/dev/null',
      'http://127.0.0.1/passwd',
    ]);
    return status === 0;
  });
  await tsrun.ok('network', 'connect', 'plain', 'lonely');
  expect((await interfaces()).split('\n')).toEqual(['eth0', 'lo']);
  await tsrun.ok('restart', '-t', '0', 'lonely');
  const [place = ''] = (await tsrun.ok('port', 'lonely', '80')).split('\n');
  await until('it is served', () =>
    fetch(`http://${place}/passwd`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await tsrun.ok('rm', '-f', 'lonely');
});

describe('network rm and prune', () => {
  it('leave a network that a container uses', async () => {
    const { stderr } = await tsrun.expect(125, ['network', 'rm', 'back']);
    expect(stderr).toContain('is used by web');
    await tsrun.expect(125, ['network', 'rm', 'bridge']);
  });

  it('its subnet is free for another at once', async () => {
    const subnet = await tsrun.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', 'vault');
    await tsrun.ok('network', 'rm', 'vault');
    await tsrun.ok('network', 'create', '--subnet', subnet, 'other');
    await tsrun.ok('run', '-d', '--name', 'heir', '--network', 'other', ...SERVE);
    await untilServed(tsrun, 'heir');
    await tsrun.ok(...inNetwork('other', ...dial(await addressIn('other', 'heir'))));
    await tsrun.ok('rm', '-f', 'heir');
  });

  it('prune removes the others; rm -f the containers, too', async () => {
    expect((await tsrun.ok('network', 'prune', '-f')).split('\n').sort()).toEqual([
      'chosen',
      'other',
      'plain',
    ]);
    expect(await tsrun.ok('network', 'rm', '-f', 'back', 'front', 'nowhere')).toBe('back\nfront');
    expect(await tsrun.ok('ps', '-aq', '--filter', 'name=web')).toBe('');
    expect(await networks()).toEqual(['bridge']);
    // Regression: what had been leased there stayed until the next boot.
    const leases = readdirSync(join(tsrun.store.runtime, 'network/leases'));
    expect(leases.filter((name) => name !== 'lock' && name !== '0')).toEqual([]);
  });
});
