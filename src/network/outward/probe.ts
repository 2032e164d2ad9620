/**
 * Can connections to the outside be taken here (native/forward/outward.c)? That takes parts of netfilter that a kernel may be without, or
 * does not load for an ordinary user. Tried once after each boot, by doing it in a network namespace that is thrown away. Where it cannot
 * be done, connections go through slirp4netns as all else does: slower, but no less.
 */
import { statSync, writeFileSync } from 'node:fs';
import { type Rootless, runInside } from '../../rootless/enter.ts';
import { NamespaceFailure } from '../../rootless/namespace-failure.ts';
import { call } from '../../sys/calls.ts';
import { CLONE_NEWNET } from '../../sys/constants.ts';
import { UPLINK_SUBNET } from '../bridge-network.ts';
import { UPLINK } from '../hub-program.ts';
import { openOutward } from './open.ts';

/**
 * Why not, in the system's words; undefined when they can.
 * @param mark a file in the user's runtime directory, made when they can; a failure may be one of the moment, and is not kept
 */
export function probeOutward(rootless: Rootless, mark: string): string | undefined {
  if (statSync(mark, { throwIfNoEntry: false })) return undefined;
  try {
    runInside(rootless, (slots) => {
      const [queue, listener] = [slots.new('queue'), slots.new('listener')];
      const place = { uplink: UPLINK, own: UPLINK_SUBNET };
      return [
        call('rootless', 'a network to try it in', 'unshare', [CLONE_NEWNET]),
        ...openOutward('rootless', slots, place, queue, listener),
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
