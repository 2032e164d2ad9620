import { expect, test } from 'vitest';
import { NETWORK_MEASURES } from '../../bench/network/measures.ts';
import { judgeNetwork, networkFailures, renderNetworkTable } from '../../bench/network/table.ts';

const measures = NETWORK_MEASURES.filter(({ name }) => name === 'network-in');
const samples = (forwarder: number[] | string, loopback: number[]) =>
  new Map([
    [
      'network-in',
      new Map<string, number[] | string>([
        ['forwarder', forwarder],
        ['loopback', loopback],
      ]),
    ],
  ]);

test('a budget is judged by medians', () => {
  expect(judgeNetwork(measures, samples([18, 1, 19], [20, 20, 20])).map(({ kept }) => kept)).toEqual([true]);
  expect(judgeNetwork(measures, samples([17], [20])).map(({ kept }) => kept)).toEqual([false]);
});

test('what failed is not kept, and what was not measured is not judged', () => {
  const failed = samples('no answer', [20]);
  expect(judgeNetwork(measures, failed)).toEqual([{ text: expect.stringContaining('failed'), kept: false }]);
  expect(networkFailures(failed)).toEqual(['network-in, forwarder: no answer']);
  expect(judgeNetwork(measures, samples([18], []))).toEqual([]);
});

test('the table has a line for each place', () => {
  const places = [
    { name: 'forwarder', label: 'ours' },
    { name: 'bridge', label: 'not measured' },
  ];
  const wakes = new Map([['network-in', [30, 250, 40]]]);
  const lines = renderNetworkTable(measures, places, samples([18], [20]), wakes).split('\n');
  expect(lines.slice(2)).toEqual([
    '| ours | 18.00 (0.90) |',
    '| not measured | – |',
    '| waking another processor, µs | 40, at most 250 |',
  ]);
});
