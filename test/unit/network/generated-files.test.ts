import { describe, expect, it } from 'vitest';
import { hostsFile, parseAddHost } from '../../../src/network/hosts-file.ts';
import { containerResolvConf, isLoopback, parseResolvConf } from '../../../src/network/resolv-conf.ts';

const nothing = { dns: [], dnsSearch: [], dnsOption: [] };
const STUB = `# by systemd-resolved
nameserver 127.0.0.53
options edns0 trust-ad
search corp.example home.arpa
`;

describe('parseResolvConf', () => {
  it('reads what the C library reads', () => {
    const text =
      '; x\n nameserver 1.1.1.1 \nnameserver\nsortlist 1\ndomain a\nsearch b c\noptions x\noptions y z\n#nameserver 2.2.2.2';
    expect(parseResolvConf(text)).toEqual({
      nameservers: ['1.1.1.1'],
      search: ['b', 'c'],
      options: ['x', 'y', 'z'],
    });
    expect(parseResolvConf('search b c\ndomain a').search).toEqual(['a']);
    expect(parseResolvConf('')).toEqual({ nameservers: [], search: [], options: [] });
  });
});

describe('containerResolvConf', () => {
  it('puts the forwarder in the place of a stub and keeps the search domains', () => {
    expect(containerResolvConf(STUB, ['10.0.2.3'], nothing)).toBe(
      'search corp.example home.arpa\nnameserver 10.0.2.3\noptions edns0 trust-ad\n',
    );
  });
  it('keeps nameservers that the container can reach as fallbacks, at most three in all', () => {
    const host =
      'nameserver 192.0.2.53\nnameserver fe80::1%eth0\nnameserver ::1\nnameserver 2001:db8::53\nnameserver 192.0.2.54\n';
    expect(containerResolvConf(host, ['10.0.2.3'], nothing)).toBe(
      'nameserver 10.0.2.3\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n',
    );
  });
  it('copies the host’s with the host’s network, and gives none to a container without one', () => {
    expect(containerResolvConf(STUB, undefined, nothing)).toContain('nameserver 127.0.0.53\n');
    expect(containerResolvConf(STUB, [], nothing)).not.toContain('nameserver');
  });
  it('lets the user replace each kind of line', () => {
    const asked = { dns: ['192.0.2.9'], dnsSearch: ['x.example'], dnsOption: ['ndots:2'] };
    expect(containerResolvConf(STUB, ['10.0.2.3'], asked)).toBe(
      'search x.example\nnameserver 192.0.2.9\noptions ndots:2\n',
    );
    expect(containerResolvConf(STUB, [], { ...nothing, dns: ['192.0.2.9'] })).toContain(
      'nameserver 192.0.2.9\n',
    );
    expect(containerResolvConf(STUB, ['10.0.2.3'], { ...nothing, dnsSearch: ['.'] })).not.toContain('search');
  });
});

it.each([
  ['127.0.0.53', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['::', true],
  ['0.0.0.0', true],
  ['::ffff:127.0.0.1', true],
  ['10.127.0.1', false],
  ['::1234', false],
  ['2001:db8::1', false],
])('isLoopback(%s) is %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

describe('hostsFile', () => {
  const request = { hostname: 'web', containerAddress: '10.0.2.100', hostAddress: '192.0.2.2', addHosts: [] };
  it('names localhost, the host and the container', () => {
    expect(hostsFile(request)).toMatchInlineSnapshot(`
      "127.0.0.1 localhost
      ::1 localhost ip6-localhost ip6-loopback
      fe00::0 ip6-localnet
      ff00::0 ip6-mcastprefix
      ff02::1 ip6-allnodes
      ff02::2 ip6-allrouters
      192.0.2.2 host.containers.internal host.docker.internal
      10.0.2.100 web
      "
    `);
  });
  it('says nothing of a host that cannot be reached', () => {
    expect(hostsFile({ ...request, hostAddress: undefined, containerAddress: undefined })).not.toMatch(
      /internal|web/,
    );
  });
  it('lets --add-host come first and replace ours', () => {
    const lines = hostsFile({
      ...request,
      addHosts: ['host.docker.internal:192.0.2.7', 'db:host-gateway'],
    }).split('\n');
    expect(lines.slice(6)).toEqual([
      '192.0.2.7 host.docker.internal',
      '192.0.2.2 db',
      '192.0.2.2 host.containers.internal',
      '10.0.2.100 web',
      '',
    ]);
  });
  it('goes on from the host’s own file, with or without its last newline', () => {
    expect(hostsFile({ ...request, base: '127.0.0.1 localhost\n10.1.1.1 intra' })).toMatch(
      /^127\.0\.0\.1 localhost\n10\.1\.1\.1 intra\n192\.0\.2\.2 host/,
    );
  });
});

describe('parseAddHost', () => {
  it.each([
    ['db:192.0.2.7', '192.0.2.7', ['db']],
    ['db=192.0.2.7', '192.0.2.7', ['db']],
    ['a;b:192.0.2.7', '192.0.2.7', ['a', 'b']],
    ['db:2001:db8::7', '2001:db8::7', ['db']],
    ['db:[2001:db8::7]', '2001:db8::7', ['db']],
    ['db=::1', '::1', ['db']],
    ['db:host-gateway', '192.0.2.2', ['db']],
  ])('%s', (text, address, names) => {
    expect(parseAddHost(text, '192.0.2.2')).toEqual({ address, names });
  });
  it.each(['db', 'db:', ':192.0.2.7', 'db:example.org', 'd b:192.0.2.7', 'db:192.0.2.7\n1.1.1.1 x'])(
    'refuses %j',
    (text) => {
      expect(() => parseAddHost(text, '192.0.2.2')).toThrow('--add-host');
    },
  );
  it('refuses host-gateway where there is no way to the host', () => {
    expect(() => parseAddHost('db:host-gateway', undefined)).toThrow('no way to the host');
  });
});
