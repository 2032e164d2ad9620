import { callForBytes } from './call-for-bytes.ts';

/** `size` random bytes of the kernel's (getrandom(2)), as hexadecimal digits. Loading node:crypto for it would cost 3 ms. */
export const randomHex = (size: number): string =>
  callForBytes('make a name that nothing else has', 'getrandom', [], size).toString('hex');
