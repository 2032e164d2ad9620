/**
 * The cable between a bridge and a container. Segments of 256 KiB were once allowed at the container's end alone: the bridge's end then cut each
 * into packets of its MTU, and with an MTU of 1500 two containers had a quarter of the speed that they have now.
 */
import { expect, it } from 'vitest';
import { cableUp, veth } from '../../../src/network/route-messages.ts';

it('takes long segments at both ends', () => {
  const made = veth({ bridge: 1, pid: 2, name: 'eth0', mac: '02:00:00:00:00:01', mtu: 1500 });
  for (const { ip, fields } of [made, cableUp('eth0')]) {
    expect(ip).toContain('gso_ipv4_max_size 262144');
    expect(fields).toContainEqual({ width: 4, value: 262_144 });
  }
});
