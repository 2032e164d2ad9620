/**
 * Can bridge networks be made here? That takes the kernel's bridges and virtual cables, which may be modules that are not loaded (the kernel
 * loads them for whoever is root of a network namespace, where there is a modprobe to do it), or left out. Tried once after each boot, by
 * doing it in a network namespace that is thrown away.
 */
import { statSync, writeFileSync } from 'node:fs';
import { type Rootless, runInside } from '../rootless/enter.ts';
import { NamespaceFailure } from '../rootless/namespace-failure.ts';
import { call } from '../sys/calls.ts';
import { CLONE_NEWNET } from '../sys/constants.ts';
import { routeSocket } from './hub-program.ts';
import { exchange } from './netlink.ts';
import { bridge, veth } from './route-messages.ts';

const LINK = { name: 'tsrun0', index: 1000, mac: '02:42:00:00:00:01', mtu: 1500, group: 0 };

/**
 * Why not, in the system's words; undefined when they can.
 * @param mark a file in the user's runtime directory, made when they can; a failure may be one of the moment, and is not kept
 */
export function probeBridge(rootless: () => Rootless, mark: string): string | undefined {
  if (statSync(mark, { throwIfNoEntry: false })) return undefined;
  try {
    runInside(rootless(), (slots) => {
      const [route, pid] = [slots.new('route'), slots.new('pid')];
      return [
        call('rootless', 'a network to try it in', 'unshare', [CLONE_NEWNET]),
        call('rootless', 'whose network it is', 'getpid', [], { result: pid }),
        routeSocket('rootless', 'talk about links there', route),
        ...exchange('rootless', 'make a bridge', slots, route, [bridge(LINK)]),
        ...exchange('rootless', 'make a cable', slots, route, [
          veth({ bridge: LINK.index, pid, name: 'eth0', mac: '02:42:00:00:00:02', mtu: LINK.mtu }),
        ]),
      ];
    });
  } catch (error) {
    if (!(error instanceof NamespaceFailure)) throw error;
    return error.failure.message;
  }
  try {
    writeFileSync(mark, '', { mode: 0o600 });
  } catch {
    // A full runtime directory: the next command tries it again.
  }
  return undefined;
}
