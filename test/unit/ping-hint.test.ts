/** `tsrun run IMAGE ping HOST` on a machine whose helpers may send no echo requests waited without a word. */
import { expect, it } from 'vitest';
import { pingHint } from '../../src/engine/ping-hint.ts';

it.each([
  [['ping', '-c1', '192.0.2.1'], 'bridge', '1\t0\n', true],
  [['/usr/bin/ping', '192.0.2.1'], 'slirp4netns', '0\t999\n', true],
  [['busybox', 'ping6', '2001:db8::1'], 'pasta', '1\t0\n', true],
  [['ping', '192.0.2.1'], 'bridge', '0\t2147483647\n', false],
  [['ping', '192.0.2.1'], 'bridge', '1000\t1000\n', false],
  [['ping', '192.0.2.1'], 'host', '1\t0\n', false],
  [['sleep', 'ping'], 'bridge', '1\t0\n', false],
  [[], 'bridge', '1\t0\n', false],
])('%j on %s, with %j', (command, driver, range, isSaid) => {
  expect(pingHint(command, driver, range, 1000) !== undefined).toBe(isSaid);
});

it('names the setting, what it is, and for whom', () => {
  expect(pingHint(['ping'], 'bridge', '1\t0\n', 1000)).toContain(
    'net.ipv4.ping_group_range of this machine is 1 0, without group 1000',
  );
});
