/** The forwarder's config and routing as TypeScript writes them, against native/forward/config.h and iproute2's words. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as config from '../../../src/network/forward/config.ts';
import { bindingOf } from '../../../src/network/forward/listening-socket.ts';
import { ranges, routingMessages } from '../../../src/network/forward/routing.ts';
import { familyAndPort, portOf } from '../../../src/network/forward/socket-address.ts';
import { parsePublish } from '../../../src/network/parse-publish.ts';

const HEADER = new URL('../../../native/forward/config.h', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'tsrun-forward-'));
afterAll(() => rmSync(directory, { recursive: true }));

const target = {
  ipv4: { address: '10.0.2.100', gateway: '10.0.2.2', prefix: 24 },
  ipv6: { address: 'fd00::64', gateway: 'fd00::2', prefix: 64 },
  transparent: true,
};
const ports = ['8080:80', '5353:53/udp', '54:54/udp', '127.0.0.1:8081:80/tcp'].flatMap(parsePublish);

/** Reads the config as the forwarder does, with its own header, and prints it. */
const READER = `
#include <stdio.h>
#include <string.h>
#include "${HEADER.pathname}"
static unsigned char bytes[4096] __attribute__((aligned(8)));
int main(void) {
	struct forward_config *c = (struct forward_config *)bytes;
	size_t n = fread(bytes, 1, sizeof(bytes), stdin);
	printf("%d %d %x %x %u\\n", c->magic == FORWARD_MAGIC, c->size == n, c->mark, c->table, c->port_count);
	for (int f = 0; f < 2; f++)
		printf("%d/%d %02x..%02x %02x\\n", c->families[f].present, c->families[f].prefix, c->families[f].container[0],
		       c->families[f].container[f ? 15 : 3], c->families[f].gateway[f ? 15 : 3]);
	for (unsigned i = 0; i < c->port_count; i++)
		printf("%u/%u\\n", c->ports[i].container_port, c->ports[i].protocol);
	return (size_t)((char *)&c->ports[c->port_count] - (char *)c) != n;
}`;

describe('the config', () => {
  it('has the header’s names and numbers', () => {
    const header = readFileSync(HEADER, 'utf8');
    const numbers = [...header.matchAll(/(?:#define|\t)\s*(FORWARD_\w+)(?: =)? (0x[0-9a-f]+|\d+)u?\b/g)].map(
      ([, name = '', value]) => [name, Number(value)] as const,
    );
    const ours = Object.entries(config).filter(([name]) => name.startsWith('FORWARD_'));
    expect(ours.length).toBe(4);
    for (const [name, value] of ours) expect(new Map(numbers).get(name)).toBe(value);
  });

  it('is read by C as it was written', () => {
    const source = join(directory, 'read.c');
    writeFileSync(source, READER);
    execFileSync('cc', ['-o', join(directory, 'read'), source]);
    const read = (bytes: Buffer): string[] =>
      execFileSync(join(directory, 'read'), { input: bytes, encoding: 'utf8' }).trim().split('\n');
    expect(read(config.encodeForwardConfig(target, ports))).toEqual([
      `1 1 ${config.MARK.toString(16)} ${config.TABLES.udp.toString(16)} 4`,
      '1/24 0a..64 02',
      '1/64 fd..64 02',
      ...['80/6', '53/17', '54/17', '80/6'],
    ]);
    const blind = config.encodeForwardConfig({ ipv4: target.ipv4, transparent: false }, []);
    expect(read(blind)).toEqual([
      `1 1 0 ${config.TABLES.udp.toString(16)} 0`,
      '1/24 0a..64 02',
      '0/0 00..00 00',
    ]);
  });
});

describe('routing', () => {
  it('brings back TCP by its mark and UDP by its port, in each family', () => {
    expect(routingMessages(target, ports).map(({ ip }) => ip)).toEqual([
      'link set lo up gso_ipv4_max_size 262144',
      'rule add fwmark 0x74737275 lookup 29811 priority 100',
      'route add local default dev lo table 29811',
      'rule add ipproto udp sport 53-54 lookup 29812 priority 101',
      '-6 rule add fwmark 0x74737275 lookup 29811 priority 100',
      '-6 route add local default dev lo table 29811',
      '-6 rule add ipproto udp sport 53-54 lookup 29812 priority 101',
    ]);
  });
  it('has one rule for neighbours', () => {
    expect(ranges([7, 5, 6, 9, 6])).toEqual([
      [5, 7],
      [9, 9],
    ]);
  });
});

describe('a port’s socket', () => {
  it('without an address takes both families, unless IPv6 is published by itself', () => {
    const binding = (words: string[], hasIpv6 = true) => {
      const all = words.flatMap(parsePublish);
      return all.map((mapping) => bindingOf(mapping, all, hasIpv6));
    };
    expect(binding(['8080:80', '127.0.0.2:81:81'])).toEqual([
      { ip: '::', both: true },
      { ip: '127.0.0.2', both: false },
    ]);
    expect(binding(['8080:80'], false)).toEqual([{ ip: '0.0.0.0', both: false }]);
    expect(binding(['8080:80', '[::1]:8080:80'])).toEqual([
      { ip: '0.0.0.0', both: false },
      { ip: '::1', both: false },
    ]);
    expect(binding(['8080:80', '[::1]:8080:80/udp'])[0]?.both).toBe(true);
  });
  it('has its port in the number that a program loads', () => {
    for (const port of [1, 80, 8080, 65535]) {
      expect(portOf(familyAndPort('0.0.0.0', port))).toBe(port);
      expect(portOf(familyAndPort('::', port))).toBe(port);
    }
  });
});
