/** struct ifreq (netdevice(7)), with which an ioctl asks for one thing of an interface, or sets it. */
import type { Field, Memory } from './step.ts';

const NAME_SIZE = 16; // IFNAMSIZ, with the final zero
const UNION_SIZE = 24;

/** @param size of `content`, in bytes: what the union holds, or is to be read from it; the rest is zero. @param say how it reads in a plan */
export function ifreq(name: string, content: readonly Field[], size: number, say = name): Memory {
  const padded = new Uint8Array(NAME_SIZE);
  padded.set(Buffer.from(name).subarray(0, NAME_SIZE - 1));
  return { fields: [{ bytes: padded }, ...content, { bytes: new Uint8Array(UNION_SIZE - size) }], say };
}
