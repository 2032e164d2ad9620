import { expect, it } from 'vitest';
import { endpointOf } from '../../src/engine/inspect-network.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.1
              /32 host LOCAL
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
           |-- 192.0.2.2
              /32 host LOCAL
`;

it('finds the address, its subnet, the gateway and the interface', () => {
  const route = `${HEAD}eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;
  const inet6 =
    '00000000000000000000000000000001 01 80 10 80       lo\nfd747372756e00000000000000000100 02 40 00 80     eth0\n';
  const route6 =
    '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd747372756e00000000000000000002 00000400 00000001 00000000 00000003 eth0\n';
  expect(endpointOf({ route, trie: TRIE, inet6, route6 }, (device) => `mac of ${device}`)).toEqual({
    IPAddress: '192.0.2.2',
    IPPrefixLen: 24,
    Gateway: '192.0.2.1',
    MacAddress: 'mac of eth0',
    GlobalIPv6Address: 'fd74:7372:756e::100',
    GlobalIPv6PrefixLen: 64,
    IPv6Gateway: 'fd74:7372:756e::2',
  });
});

it('a network with a loopback interface only has no address', () => {
  const trie = TRIE.replaceAll(/192\.0\.2\.\d+/g, '127.0.0.1');
  expect(endpointOf({ route: HEAD, trie, inet6: '', route6: '' }, () => 'none')).toMatchObject({
    IPAddress: '',
    IPPrefixLen: 0,
    Gateway: '',
    MacAddress: '',
  });
});
