/** The rules for connections to the outside, and what native/forward/ knows of them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { UPLINK_SUBNET } from '../../../src/network/bridge-network.ts';
import {
  outwardRules,
  outwardRulesOfIpv6,
  QUEUE,
  queueHere,
  VERDICT,
} from '../../../src/network/outward/rules.ts';

const header = readFileSync(new URL('../../../native/forward/queue.h', import.meta.url), 'utf8');

it('has the marks of native/forward/queue.h', () => {
  const native = Object.fromEntries(
    [...header.matchAll(/VERDICT_(\w+) = (0x[\da-f]+),/g)].map(([, name = '', value]) => [
      name.toLowerCase(),
      Number(value),
    ]),
  );
  expect(native).toEqual(VERDICT);
});

it('has the queues of native/forward/queue.h', () => {
  for (const [name, { number }] of Object.entries(QUEUE)) {
    expect(header).toContain(`#define QUEUE_OF_${name.toUpperCase()} ${number}\n`);
  }
});

it.each([
  ['ip', outwardRules('uplink', UPLINK_SUBNET)],
  ['ip6', outwardRulesOfIpv6()],
])('is one batch of whole messages, which says what nft would be told: %s', (name, batch) => {
  for (const { fields, size } of [...batch, queueHere(QUEUE.requests), queueHere(QUEUE.datagrams)]) {
    const [length] = fields;
    expect(size % 4).toBe(0);
    expect(length).toEqual({ width: 4, value: size });
    const written = fields.map((field) =>
      'bytes' in field ? field.bytes.length : 'width' in field ? field.width : 0,
    );
    expect(written.reduce((sum, bytes) => sum + bytes, 0)).toBe(size);
  }
  expect(batch.map(({ frames }) => frames ?? false)).toEqual([
    true,
    ...batch.slice(2).map(() => false),
    true,
  ]);
  expect(batch.filter(({ frames }) => !frames).map(({ ip }) => ip.split(' ').slice(0, 5).join(' '))).toEqual([
    `add table ${name} outward`,
    `delete table ${name} outward`,
    `add table ${name} outward`,
    `add chain ${name} outward ask`,
    `add chain ${name} outward refuse`,
    `add chain ${name} outward take`,
    `add rule ${name} outward ask`,
    `add rule ${name} outward ask`,
    `add rule ${name} outward refuse`,
    `add rule ${name} outward refuse`,
    `add rule ${name} outward refuse`,
    `add rule ${name} outward take`,
  ]);
});
