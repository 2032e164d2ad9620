import { describe, expect, it } from 'vitest';
import { capRlimit, parseUlimit, parseUlimits, RLIMIT_NUMBERS, UNLIMITED } from '../../src/launch/rlimits.ts';

describe('parseUlimit', () => {
  it.each([
    ['nofile=1024:4096', { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 }],
    ['nofile=1024', { type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
    ['core=-1', { type: 'RLIMIT_CORE', soft: UNLIMITED, hard: UNLIMITED }],
    ['memlock=0:unlimited', { type: 'RLIMIT_MEMLOCK', soft: 0, hard: UNLIMITED }],
    ['NPROC=-1:-1', { type: 'RLIMIT_NPROC', soft: UNLIMITED, hard: UNLIMITED }],
    ['RLIMIT_AS=18446744073709551615', { type: 'RLIMIT_AS', soft: UNLIMITED, hard: UNLIMITED }],
  ])('%s', (text, expected) => {
    expect(parseUlimit(text)).toEqual(expected);
  });

  it.each([
    ['nofile', 'form name=soft'],
    ['nofile=', 'form name=soft'],
    ['nofile=1:2:3', 'form name=soft'],
    ['files=1', 'names no resource; there are cpu, '],
    ['toString=1', 'names no resource'],
    ['nofile=many', '"many" where a count'],
    ['nofile=-2', '"-2" where a count'],
    ['nofile=1k', '"1k" where a count'],
    ['nofile=2:1', 'soft limit above the hard'],
    ['nofile=-1:1024', 'soft limit above the hard'],
    ['nofile=18446744073709551616', 'too large'],
  ])('refuses %s', (text, problem) => {
    expect(() => parseUlimit(text)).toThrow(`--ulimit ${text} `);
    expect(() => parseUlimit(text)).toThrow(problem);
  });

  it('knows the numbers of prlimit64(2)', () => {
    const numbers = ['RLIMIT_CPU', 'RLIMIT_STACK', 'RLIMIT_NPROC', 'RLIMIT_NOFILE', 'RLIMIT_RTTIME'] as const;
    expect(numbers.map((type) => RLIMIT_NUMBERS[type])).toEqual([0, 3, 6, 7, 15]);
  });

  it('lets the last option for a resource count', () => {
    expect(parseUlimits(['nofile=1', 'core=0', 'nofile=2'])).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 2, hard: 2 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    ]);
  });

  it('is capped by the host’s hard limit', () => {
    const wanted = { type: 'RLIMIT_NOFILE', soft: 1024, hard: UNLIMITED } as const;
    expect(capRlimit(wanted, 4096)).toEqual({ type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 });
    expect(capRlimit(wanted, 512)).toEqual({ type: 'RLIMIT_NOFILE', soft: 512, hard: 512 });
  });
});
