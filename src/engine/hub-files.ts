/** What is in the hub's directory. */
import { AF_UNIX } from '../sys/constants.ts';
import type { Memory } from '../sys/step.ts';

/** Its name stays when the hub has ended, however it did: the next one takes it, with the lock. Whoever asks at the name is told that nobody is there. */
export const HUB_SOCKET = 'hub.sock';
/** What the uplink says. */
export const HUB_LOG = 'uplink.log';

/** sun_path has only 108 bytes, fewer than a path may have, so the directory is named by its descriptor. */
export function hubAddress(directory: number): { memory: Memory; size: number } {
  const path = Buffer.from(`/proc/self/fd/${directory}/${HUB_SOCKET}\0`);
  const memory = { fields: [{ width: 2, value: AF_UNIX } as const, { bytes: path }], say: `…/${HUB_SOCKET}` };
  return { memory, size: 2 + path.length };
}
