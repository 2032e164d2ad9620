import { describe, expect, it } from 'vitest';
import { parseNetwork } from '../../../src/network/parse-network.ts';
import {
  DEFAULT_SLIRP_OPTIONS,
  parseSlirpOptions,
  slirpAddresses,
} from '../../../src/network/slirp4netns-options.ts';

describe('parseNetwork', () => {
  it.each([
    [undefined, { kind: 'private' }],
    ['private', { kind: 'private' }],
    ['default', { kind: 'private' }],
    ['none', { kind: 'none' }],
    ['host', { kind: 'host' }],
    ['pasta', { kind: 'pasta', options: [] }],
    ['pasta:-T,5201,--map-gw', { kind: 'pasta', options: ['-T', '5201', '--map-gw'] }],
    ['pasta:-t,127.0.0.1/8080:80', { kind: 'pasta', options: ['-t', '127.0.0.1/8080:80'] }],
    ['slirp4netns', { kind: 'slirp4netns', options: DEFAULT_SLIRP_OPTIONS }],
    ['slirp4netns:mtu=1500', { kind: 'slirp4netns', options: { ...DEFAULT_SLIRP_OPTIONS, mtu: 1500 } }],
    ['container:web', { kind: 'container', container: 'web' }],
    ['ns:/run/netns/a:b', { kind: 'ns', path: '/run/netns/a:b' }],
    ['back-end', { kind: 'bridge', networks: [{ name: 'back-end', aliases: [] }] }],
    [
      'back,front:ip=10.90.1.5,alias=db,alias=sql,mac=02:00:00:00:00:01',
      {
        kind: 'bridge',
        networks: [
          { name: 'back', aliases: [] },
          { name: 'front', ipv4: '10.90.1.5', aliases: ['db', 'sql'], mac: '02:00:00:00:00:01' },
        ],
      },
    ],
  ])('%s', (text, expected) => {
    expect(parseNetwork(text)).toEqual(expected);
  });

  it.each([
    ['none:x', 'takes no options'],
    ['container:', 'which container'],
    ['container', 'which container'],
    ['ns:proc/1', 'absolute path'],
    ['pasta:--pid,/tmp/x', "--pid is tsrun's own"],
    ['pasta:--netns=/x', "--netns=/x is tsrun's own"],
    ['slirp4netns:mtu=0', 'between 68 and 65521'],
    ['slirp4netns:cidr=10.0.2.1/24', 'a network of 8 to 24 bits'],
    ['slirp4netns:cidr=10.0.2.0/25', 'a network of 8 to 24 bits'],
    ['slirp4netns:allow_host_loopback=yes', 'true or false'],
    ['slirp4netns:port_handler=other', 'builtin or slirp4netns'],
    ['slirp4netns:speed=11', 'not one of its options'],
    ['bridge:x', 'not one of a network’s options'],
    ['none,bridge', 'none cannot be had together with other networks'],
    ['back,back', 'twice'],
    ['back:ip=none', 'no IP address'],
    ['back:mac=01:00:00:00:00:01', 'no MAC address'],
    ['back:interface_name=a/b', 'cannot be the name of an interface'],
    ['back:interface_name=sixteen-letters-', 'cannot be the name of an interface'],
    ['a:interface_name=x,b:interface_name=x', 'two interfaces cannot have one name'],
    ['', 'no such network mode'],
    ['../x', 'no such network mode'],
  ])('refuses %s', (text, problem) => {
    expect(() => parseNetwork(text)).toThrow(problem);
  });
});

describe('slirpAddresses', () => {
  it('are counted from the network', () => {
    expect(slirpAddresses(DEFAULT_SLIRP_OPTIONS)).toEqual({
      container: '10.0.2.100',
      gateway: '10.0.2.2',
      dns: '10.0.2.3',
      prefix: 24,
    });
    expect(slirpAddresses(parseSlirpOptions(['cidr=172.16.0.0/12']))).toEqual({
      container: '172.16.0.100',
      gateway: '172.16.0.2',
      dns: '172.16.0.3',
      prefix: 12,
    });
  });
});
