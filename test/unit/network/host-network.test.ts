import { describe, expect, it } from 'vitest';
import {
  hardLimit,
  ipv4DefaultInterfaces,
  ipv6DefaultInterfaces,
  ipv6Subnets,
  pickAddress,
} from '../../../src/network/host-network.ts';

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
wlan0\t00000000\t010200C0\t0203\t0\t0\t0\t00000000\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;
const zero = '0'.repeat(32);
const ROUTES6 = `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;
const info = (address: string, internal = false) => ({
  address,
  internal,
  family: address.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
  netmask: '',
  mac: '',
  cidr: null,
  scopeid: 0,
});

describe('subnets that a new network must not have', () => {
  // A network of fd00::/64 on a host that is itself in fd00::/64 was once made, and none of its containers reached the host's neighbours.
  it('are those of /proc/net/ipv6_route that are neither default ones nor on every interface', () => {
    const linkLocal = `fe80${'0'.repeat(28)} 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0`;
    const multicast = `ff00${'0'.repeat(28)} 08 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0`;
    const loopback = `${'0'.repeat(31)}1 80 ${zero} 00 ${zero} 00000000 00000001 00000000 80200001       lo`;
    expect(ipv6Subnets([ROUTES6, linkLocal, multicast, loopback].join('\n'))).toEqual([
      { base: 'fd00::', prefix: 64 },
    ]);
    expect(ipv6Subnets('')).toEqual([]);
  });
});

describe('default routes', () => {
  it('are those of /proc/net/route that lead anywhere and do not reject', () => {
    expect(ipv4DefaultInterfaces(ROUTES)).toEqual(['eth0']);
    expect(ipv4DefaultInterfaces('')).toEqual([]);
  });
  it('are those of /proc/net/ipv6_route but the unreachable one of lo', () => {
    expect(ipv6DefaultInterfaces(ROUTES6)).toEqual(['eth0']);
    expect(ipv6DefaultInterfaces('')).toEqual([]);
  });
});

describe('pickAddress', () => {
  const interfaces = {
    lo: [info('127.0.0.1', true), info('::1', true)],
    docker0: [info('172.17.0.1')],
    eth0: [info('fe80::1'), info('2001:db8::2'), info('192.0.2.2')],
  };
  it('prefers the interface of the default route, and IPv4', () => {
    expect(pickAddress(interfaces, ['eth0'])).toBe('192.0.2.2');
    expect(pickAddress(interfaces, [])).toBe('172.17.0.1');
    expect(pickAddress({ eth0: interfaces.eth0.slice(0, 2) }, [])).toBe('2001:db8::2');
  });
  it('finds none on a machine that has only its loopback', () => {
    expect(pickAddress({ lo: interfaces.lo }, ['eth0'])).toBeUndefined();
  });
});

it('hardLimit is the second figure', () => {
  expect(
    hardLimit(
      'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files     \n',
    ),
  ).toBe(524288);
  expect(hardLimit('')).toBe(1024);
});
