import { expect, it } from 'vitest';
import { humanBinarySize } from '../../src/cli/format/human.ts';
import { type ContainerStats, cpuPercent, networkBytes } from '../../src/engine/container-stats.ts';

const HEAD =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';

it('network traffic is of all interfaces but the loopback one', () => {
  const lo =
    '    lo:  999       1    0    0    0     0          0         0  999       1    0    0    0     0       0          0\n';
  const row = (name: string, received: number, sent: number): string =>
    `${name}:${received}  3 0 0 0 0 0 0 ${sent} 2 0 0 0 0 0 0\n`;
  expect(networkBytes(HEAD + lo)).toBeUndefined();
  expect(networkBytes(HEAD + lo + row('eth0', 100, 20) + row(' tap0', 5, 6))).toEqual({
    received: 105,
    sent: 26,
  });
});

it('the share of CPU is between two looks, and never negative', () => {
  const look = (at: number, cpuSeconds: number): ContainerStats => ({
    at,
    cpuSeconds,
    memory: 0,
    memoryLimit: 1,
    network: undefined,
    blocks: undefined,
    tasks: 1,
  });
  expect(cpuPercent(undefined, look(5, 1))).toBeUndefined();
  expect(cpuPercent(look(1000, 1), look(3000, 4))).toBe(150);
  expect(cpuPercent(look(1000, 4), look(3000, 1))).toBe(0);
});

it.each([
  [0, '0B'],
  [1023, '1023B'],
  [1024, '1KiB'],
  [2_092_564_480, '1.949GiB'],
])('%i bytes are %s', (bytes, text) => expect(humanBinarySize(bytes)).toBe(text));
