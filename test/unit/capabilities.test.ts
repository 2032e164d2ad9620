import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TsrunError } from '../../src/errors.ts';
import {
  applyCapAddDrop,
  CAPABILITIES,
  CAPABILITY_NUMBERS,
  capabilitiesOf,
  capabilityHalves,
  capabilityMask,
  DEFAULT_CAPABILITIES,
  parseCapability,
} from '../../src/launch/capabilities.ts';

const hintOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof TsrunError) return `${error.message} | ${error.hint}`;
  }
  return 'nothing was thrown';
};

describe('capabilities', () => {
  it('are the 41 of the kernel', () => {
    expect(CAPABILITIES).toHaveLength(41);
    expect(CAPABILITY_NUMBERS.CAP_SYS_ADMIN).toBe(21);
    expect(CAPABILITY_NUMBERS.CAP_CHECKPOINT_RESTORE).toBe(40);
  });

  const header = '/usr/include/linux/capability.h';
  it.runIf(existsSync(header))('have the numbers of linux/capability.h', () => {
    const defines = readFileSync(header, 'utf8').matchAll(/^#define (CAP_[A-Z_]+)\s+(\d+)\s*$/gm);
    const expected = [...defines].map(([, name, number]) => [name, Number(number)]);
    expect(Object.entries(CAPABILITY_NUMBERS)).toEqual(expected);
  });

  it('default to podman’s eleven', () => {
    expect(applyCapAddDrop([], [])).toEqual(DEFAULT_CAPABILITIES);
    expect(new Set(DEFAULT_CAPABILITIES).size).toBe(11);
    expect(capabilityMask(DEFAULT_CAPABILITIES)).toBe(0x800405fbn);
  });

  it.each(['net_raw', 'NET_RAW', 'cap_net_raw', 'CAP_NET_RAW', ' Net_Raw '])('%j is CAP_NET_RAW', (text) => {
    expect(parseCapability(text, '--cap-add')).toBe('CAP_NET_RAW');
  });

  it.each<[string[], string[], string[]]>([
    [['NET_RAW'], ['ALL'], ['CAP_NET_RAW']],
    [[], ['all'], []],
    [['ALL'], [], [...CAPABILITIES]],
    [['all'], ['SYS_ADMIN'], CAPABILITIES.filter((name) => name !== 'CAP_SYS_ADMIN')],
    [[], ['chown'], DEFAULT_CAPABILITIES.filter((name) => name !== 'CAP_CHOWN')],
    [['CHOWN', 'CHOWN'], [], [...DEFAULT_CAPABILITIES]],
  ])('add %j, drop %j', (add, drop, expected) => {
    expect(applyCapAddDrop(add, drop)).toEqual(expected);
  });

  it('says which option is wrong and which name is close', () => {
    expect(hintOf(() => applyCapAddDrop(['NET_ROW'], []))).toBe(
      '--cap-add: there is no capability "NET_ROW" | did you mean CAP_NET_RAW?',
    );
    expect(hintOf(() => applyCapAddDrop([], ['SYS_ADMN']))).toContain('did you mean CAP_SYS_ADMIN');
    expect(hintOf(() => applyCapAddDrop(['admin'], []))).toMatch(/CAP_SYS_ADMIN|CAP_NET_ADMIN/);
    expect(hintOf(() => applyCapAddDrop(['xyzzy'], []))).toContain('capabilities(7)');
    expect(hintOf(() => applyCapAddDrop([''], []))).toContain('there is no capability ""');
  });

  it('refuses what is both added and dropped', () => {
    expect(hintOf(() => applyCapAddDrop(['kill'], ['CAP_KILL']))).toContain(
      'CAP_KILL is both added and dropped',
    );
    expect(hintOf(() => applyCapAddDrop(['ALL'], ['ALL']))).toContain('ALL is both added and dropped');
  });

  it('make the masks of capset(2), and back', () => {
    expect(
      capabilityHalves(capabilityMask(['CAP_CHOWN', 'CAP_SETFCAP', 'CAP_MAC_OVERRIDE', 'CAP_BPF'])),
    ).toEqual([0x80000001, 0x81]);
    expect(capabilityMask(['CAP_KILL', 'CAP_OF_TOMORROW', 'toString'])).toBe(0x20n);
    fc.assert(
      fc.property(fc.subarray([...CAPABILITIES]), (names) => {
        const mask = capabilityMask(names);
        expect(capabilitiesOf(mask)).toEqual(names);
        const [low, high] = capabilityHalves(mask);
        expect(BigInt(low) | (BigInt(high) << 32n)).toBe(mask);
      }),
    );
  });
});
