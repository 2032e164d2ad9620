import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rfc3339, timestamp } from '../../src/sys/clock.ts';

it('writes every moment as Date does, with nanoseconds', () => {
  const year10000 = 253_402_300_800;
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: year10000 - 1 }),
      fc.integer({ min: 0, max: 999_999_999 }),
      (s, ns) => {
        const fraction = `${ns}`.padStart(9, '0');
        expect(rfc3339(s, ns)).toBe(new Date(s * 1000).toISOString().replace('.000Z', `.${fraction}Z`));
      },
    ),
  );
});

it.each([
  [0, '1970-01-01T00:00:00.000000007Z'],
  [951_782_399, '2000-02-28T23:59:59.000000007Z'],
  [951_868_799, '2000-02-29T23:59:59.000000007Z'],
  [951_868_800, '2000-03-01T00:00:00.000000007Z'],
  [4_107_542_400, '2100-03-01T00:00:00.000000007Z'],
])('%d is %s', (seconds, text) => {
  expect(rfc3339(seconds, 7)).toBe(text);
});

it('is now', () => {
  const before = new Date().toISOString();
  const now = timestamp();
  const after = new Date(Date.now() + 1).toISOString();
  expect(now >= before.replace('Z', '000000Z') && now <= after).toBe(true);
});
