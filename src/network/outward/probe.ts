/**
 * Can connections to the outside be taken here (native/forward/outward.c)? That takes parts of netfilter that a kernel may be without, or
 * does not load for an ordinary user. Where it cannot be done, connections go through slirp4netns as all else does: slower, but no less.
 */
import type { Rootless } from '../../rootless/enter.ts';
import { UPLINK_SUBNET } from '../bridge-network.ts';
import { UPLINK } from '../hub-program.ts';
import { probeOnce } from '../probe-once.ts';
import { openOutward, outwardSlots } from './open.ts';

/** Why not; undefined when they can. @param mark see probeOnce() */
export const probeOutward = (rootless: () => Rootless, mark: string): string | undefined =>
  probeOnce(rootless, mark, (slots) => {
    const place = { uplink: UPLINK, own: UPLINK_SUBNET, ipv6: false };
    return openOutward('rootless', slots, place, outwardSlots(slots));
  });
