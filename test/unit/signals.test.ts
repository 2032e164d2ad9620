import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseSignal, SIGNALS, signalName } from '../../src/launch/signals.ts';

describe('signals', () => {
  it.each([
    ['SIGTERM', 15],
    ['TERM', 15],
    ['term', 15],
    ['sigterm', 15],
    ['15', 15],
    ['9', 9],
    ['64', 64],
    ['IOT', 6],
    ['SIGCLD', 17],
    ['RTMIN', 34],
    ['RTMIN+3', 37],
    ['SIGRTMIN+30', 64],
    ['SIGRTMAX-1', 63],
    ['rtmax', 64],
  ])('%s is %i', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.each([
    '',
    '0',
    '65',
    '-1',
    '1.5',
    'SIG',
    'SIGNOPE',
    'RTMIN+31',
    'RTMAX-31',
    'RTMIN-1',
    'toString',
    '999999',
  ])('refuses %j', (text) => {
    expect(() => parseSignal(text)).toThrow(`there is no signal "${text}"`);
  });

  it('have the numbers of this machine', () => {
    for (const [name, number] of Object.entries(SIGNALS))
      expect(constants.signals[name as NodeJS.Signals], name).toBe(number);
  });

  it('can be named again', () => {
    for (let number = 1; number <= 64; number++)
      if (number !== 32 && number !== 33) expect(parseSignal(signalName(number))).toBe(number);
    expect(signalName(15)).toBe('SIGTERM');
    expect(signalName(37)).toBe('SIGRTMIN+3');
    expect(signalName(32)).toBe('signal 32');
  });
});
