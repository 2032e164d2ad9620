import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { interfaceAddress } from '../../../src/network/interface-address.ts';

describe('the address of an interface', () => {
  it('is the first of those that node:os has', () => {
    const all = Object.entries(networkInterfaces());
    expect(all.length).toBeGreaterThan(0);
    for (const [name, infos = []] of all) {
      const first = infos.find(({ family }) => family === 'IPv4');
      expect(interfaceAddress(name), name).toBe(first?.address);
    }
  });

  it('is none where there is no such interface', () => {
    expect(interfaceAddress('tsrun-nowhere')).toBeUndefined();
    expect(interfaceAddress('a name that is longer than any')).toBeUndefined();
  });
});
