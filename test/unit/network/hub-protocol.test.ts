/** native/hub/protocol.h and src/network/hub-protocol.ts are one protocol in two languages: the same names, the same numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as protocol from '../../../src/network/hub-protocol.ts';

const header = readFileSync(new URL('../../../native/hub/protocol.h', import.meta.url), 'utf8').replaceAll(
  /\/\*[\s\S]*?\*\//g,
  '',
);

describe('the hub’s protocol', () => {
  it('has the same numbers on both sides', () => {
    const numbers = [...header.matchAll(/^(?:#define|\t)\s*(HUB_\w+)(?: =)? ([\dxa-f]+)u?[,\s]*$/gim)];
    const native = Object.fromEntries(numbers.map(([, name = '', value]) => [name, Number(value)]));
    const { HUB_ENDPOINT_SIZE, ...ours } = Object.fromEntries(
      Object.entries(protocol).filter(([, value]) => typeof value === 'number'),
    );
    expect(Object.keys(native).length).toBeGreaterThan(15);
    expect(native).toEqual(ours);
    expect(HUB_ENDPOINT_SIZE).toBe(100); // native/hub/members.c asserts the same
  });

  it('writes an endpoint as struct hub_endpoint', () => {
    const bytes = protocol.endpointMessage(
      protocol.HUB_JOIN,
      {
        container: 'ab'.repeat(32),
        network: 7,
        ipv4: '10.90.0.2',
        ipv6: 'fd74::2',
        names: ['Web', 'web', 'db.example', '', 'x'.repeat(64), 'a..b'],
        servers: ['192.0.2.53'],
        internal: true,
      },
      true,
    );
    expect(bytes.readUInt32LE(4)).toBe(1 | 2 | 4 | 8);
    expect(bytes.toString('hex', 8, 24)).toBe('ab'.repeat(16));
    expect(bytes.readUInt32LE(24)).toBe(7);
    expect(bytes[28]).toBe(1);
    expect([...bytes.subarray(32, 36)]).toEqual([10, 90, 0, 2]);
    expect(bytes.toString('hex', 52, 68)).toBe('00000000000000000000ffffc0000235');
    // Lower case, each once, and none that DNS could not carry.
    expect(bytes.toString('latin1', 100)).toBe('\x03web\x0adb.example');
    expect(bytes.readUInt16LE(30)).toBe(bytes.length - 100);
  });

  it('takes as many names as there is room for', () => {
    const names = Array.from({ length: 100 }, (_, i) => `alias-${i}`);
    const bytes = protocol.endpointMessage(protocol.HUB_JOIN, {
      container: 'ab'.repeat(32),
      network: 0,
      ipv4: undefined,
      ipv6: undefined,
      names,
      servers: [],
      internal: false,
    });
    expect(bytes.length - 100).toBeLessThanOrEqual(protocol.HUB_NAMES_MAX);
    expect(bytes.length).toBeLessThanOrEqual(protocol.HUB_MESSAGE_MAX);
  });
});
