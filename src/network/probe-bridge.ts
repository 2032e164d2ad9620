/**
 * Can bridge networks be made here? That takes the kernel's bridges and virtual cables, which may be modules that are not loaded (the kernel
 * loads them for whoever is root of a network namespace, where there is a modprobe to do it).
 */
import type { Rootless } from '../rootless/enter.ts';
import { call } from '../sys/calls.ts';
import { exchange, routeSocket } from './netlink.ts';
import { probeOnce } from './probe-once.ts';
import { bridge, veth } from './route-messages.ts';

const LINK = { name: 'tsrun0', index: 1000, mac: '02:42:00:00:00:01', mtu: 1500, group: 0 };

/** Why not; undefined when they can. @param mark see probeOnce() */
export const probeBridge = (rootless: () => Rootless, mark: string): string | undefined =>
  probeOnce(rootless, mark, (slots) => {
    const [route, pid] = [slots.new('route'), slots.new('pid')];
    return [
      call('rootless', 'whose network it is', 'getpid', [], { result: pid }),
      routeSocket('rootless', 'talk about links there', route),
      ...exchange('rootless', 'make a bridge', slots, route, [bridge(LINK)]),
      ...exchange('rootless', 'make a cable', slots, route, [
        veth({ bridge: LINK.index, pid, name: 'eth0', mac: '02:42:00:00:00:02', mtu: LINK.mtu }),
      ]),
    ];
  });
