/** Addresses and subnets: texts → numbers → texts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  freeAddresses,
  freeSubnet,
  isLeasable,
  ulaSubnet,
  uplinkSubnet,
  withGateway,
} from '../../../src/network/bridge-network.ts';
import { ipv4Subnets } from '../../../src/network/host-network.ts';
import {
  contains,
  formatIp,
  formatSubnet,
  hostOf,
  ipBytes,
  ipNumber,
  overlap,
  parseIp,
  parseSubnet,
} from '../../../src/network/ip-address.ts';

const subnet = (text: string) => parseSubnet(text) ?? { base: '', prefix: 0 };

describe('addresses', () => {
  it.each([
    ['10.90.0.2', '10.90.0.2'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0DB8::00A0', '2001:db8::a0'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:4:5:6', '1::2:3:4:5:6'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['fe80::1%eth0', undefined],
    ['10.90.0.256', undefined],
    ['db', undefined],
  ])('%s is %s', (text, expected) => {
    expect(parseIp(text)).toBe(expected);
  });

  it('every number has one text, and the text is that number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        expect(ipNumber(formatIp(value, false))).toBe(value);
        expect(parseIp(formatIp(value, false))).toBe(formatIp(value, false));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }), (value) => {
        expect(ipNumber(formatIp(value, true))).toBe(value);
      }),
    );
  });

  it('bytes are in network order', () => {
    expect([...ipBytes('10.90.0.2')]).toEqual([10, 90, 0, 2]);
    expect(Buffer.from(ipBytes('fd74::2')).toString('hex')).toBe('fd740000000000000000000000000002');
  });
});

describe('subnets', () => {
  it.each([
    ['10.90.7.9/24', '10.90.7.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd74:7372::9/64', 'fd74:7372::/64'],
  ])('%s is %s', (text, expected) => {
    expect(formatSubnet(subnet(text))).toBe(expected);
  });

  it.each(['10.90.0.0', '10.90.0.0/33', '10.90.0.0/', 'x/24', '::/129'])('%s is none', (text) => {
    expect(parseSubnet(text)).toBeUndefined();
  });

  it('contain and overlap', () => {
    expect(contains(subnet('10.90.0.0/24'), '10.90.0.255')).toBe(true);
    expect(contains(subnet('10.90.0.0/24'), '10.90.1.0')).toBe(false);
    expect(contains(subnet('10.90.0.0/24'), '::ffff:a5a:1')).toBe(false);
    expect(overlap(subnet('10.90.0.0/16'), subnet('10.90.7.0/24'))).toBe(true);
    expect(overlap(subnet('10.90.7.0/24'), subnet('10.90.0.0/16'))).toBe(true);
    expect(overlap(subnet('10.90.7.0/24'), subnet('10.90.8.0/24'))).toBe(false);
    expect(hostOf(subnet('10.90.0.0/24'), 5n)).toBe('10.90.0.5');
  });

  // On a virtual machine of VirtualBox or QEMU, 10.0.2.15 is the host's own address, which slirp4netns kept from its containers.
  it('slirp4netns has its usual one, unless the host is in it', () => {
    const choose = (...taken: string[]) => formatSubnet(uplinkSubnet(taken.map(subnet)));
    expect(choose()).toBe('10.0.2.0/24');
    expect(choose('10.0.2.0/24')).toBe('10.0.3.0/24');
    expect(choose('10.0.0.0/8', '172.31.0.0/24')).toBe('172.31.1.0/24');
    expect(choose('0.0.0.0/0')).toBe('10.0.2.0/24');
  });

  it('a free one avoids other networks and the routes of the host', () => {
    const route = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
    const text = `${route}eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\ntun0\t00005A0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n`;
    const routes = ipv4Subnets(text);
    expect(routes.map(formatSubnet)).toEqual(['10.90.0.0/16']);
    expect(formatSubnet(freeSubnet([]))).toBe('10.90.0.0/24');
    expect(formatSubnet(freeSubnet(routes))).toBe('10.91.0.0/24');
    expect(formatSubnet(freeSubnet([...routes, subnet('10.91.0.128/25')]))).toBe('10.91.1.0/24');
    // A host with a VPN to all of 10.0.0.0/8 once had no default bridge at all.
    expect(formatSubnet(freeSubnet([subnet('10.0.0.0/8')]))).toBe('172.20.0.0/24');
    const privateOnes = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(subnet);
    expect(formatSubnet(freeSubnet(privateOnes.slice(0, 2)))).toBe('192.168.200.0/24');
    expect(() => freeSubnet(privateOnes)).toThrow(/all are in use/);
    expect(formatSubnet(ulaSubnet(subnet('10.91.1.0/24')))).toBe('fd74:7372:756e:5b01::/64');
  });

  it('lease neither the first nor the last address, nor the gateway’s', () => {
    const network = withGateway(subnet('10.90.0.0/29'));
    expect([...freeAddresses(network, new Set())]).toEqual([2, 3, 4, 5, 6].map((n) => `10.90.0.${n}`));
    const other = withGateway(subnet('10.90.0.0/29'), '10.90.0.3', subnet('10.90.0.2/31'));
    expect([...freeAddresses(other, new Set())]).toEqual(['10.90.0.2']);
    expect(isLeasable(network, '10.90.0.7')).toBe(false);
    expect(isLeasable(network, '10.90.0.9')).toBe(false);
  });

  it('is found without a look at all that somebody has, or had', () => {
    const network = withGateway({ base: '10.90.0.0', prefix: 24 });
    const had = Array.from({ length: 200 }, (_, i) => `10.90.0.${i + 2}`);
    const asked: string[] = [];
    class Leased extends Set<string> {
      override has(address: string): boolean {
        asked.push(address);
        return super.has(address);
      }
    }
    const [first] = freeAddresses(network, new Leased([...had, 'fd00::2', 'fd00::3']));
    expect(first).toBe('10.90.0.202');
    expect(asked).toEqual(['10.90.0.200', '10.90.0.201', '10.90.0.202']);
  });

  it('is one before those that others have, when it is the last', () => {
    const network = withGateway({ base: '10.90.0.0', prefix: 29 });
    const leased = new Set(['10.90.0.2', '10.90.0.4', '10.90.0.5', '10.90.0.6']);
    expect([...freeAddresses(network, leased)]).toEqual(['10.90.0.3']);
  });
});
