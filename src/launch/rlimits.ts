/** Resource limits of a process, getrlimit(2): `--ulimit name=soft[:hard]`. */
import { tsrunError } from '../errors.ts';
import type { Rlimit } from '../spec/runtime.ts';

/** asm-generic/resource.h, for prlimit64(2): the same on x86-64 and arm64. */
export const RLIMIT_NUMBERS = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
} as const;

export type RlimitType = keyof typeof RLIMIT_NUMBERS;

/** The number by which prlimit64(2) knows `type`. */
export function rlimitNumber(type: RlimitType): number {
  return RLIMIT_NUMBERS[type];
}

/** How the runtime configuration says RLIM64_INFINITY, which no number of JavaScript is. */
export const UNLIMITED = -1;

/**
 * Parses `nofile=1024:4096`, `nofile=1024` (hard as soft), `core=-1`, `memlock=unlimited`. Throws ERR_TSRUN_USAGE for an unknown name,
 * a value that is no count, and a soft limit above the hard one.
 */
export function parseUlimit(text: string): Rlimit {
  const match = /^([^=]+)=([^:]+)(?::([^:]+))?$/.exec(text.trim());
  if (!match) fail(text, 'is not of the form name=soft[:hard]');
  const [, name = '', rawSoft = '', rawHard = rawSoft] = match;
  const type = `RLIMIT_${name
    .trim()
    .toUpperCase()
    .replace(/^RLIMIT_/, '')}`;
  if (!Object.hasOwn(RLIMIT_NUMBERS, type)) fail(text, `names no resource; there are ${NAMES}`);
  const soft = limit(text, rawSoft);
  const hard = limit(text, rawHard);
  if (isAbove(soft, hard)) fail(text, 'has a soft limit above the hard one');
  return { type, soft, hard };
}

const NAMES = Object.keys(RLIMIT_NUMBERS)
  .map((type) => type.slice('RLIMIT_'.length).toLowerCase())
  .join(', ');

/** Parses all `--ulimit` options; of two for one resource the last counts. */
export function parseUlimits(texts: readonly string[]): Rlimit[] {
  return [...new Map(texts.map(parseUlimit).map((parsed) => [parsed.type, parsed])).values()];
}

/** `wanted`, lowered to what this process may have: no ordinary user raises a limit above the hard one that he was given. */
export function capRlimit(wanted: Rlimit, hostHard: number): Rlimit {
  const lower = (value: number): number => (isAbove(value, hostHard) ? hostHard : value);
  return { type: wanted.type, soft: lower(wanted.soft), hard: lower(wanted.hard) };
}

function isAbove(a: number, b: number): boolean {
  return b !== UNLIMITED && (a === UNLIMITED || a > b);
}

function limit(text: string, value: string): number {
  const word = value.trim().toLowerCase();
  // The last is RLIM64_INFINITY in decimal, as docker writes it.
  if (word === '-1' || word === 'unlimited' || word === '18446744073709551615') return UNLIMITED;
  if (!/^\d+$/.test(word)) fail(text, `has "${value}" where a count, -1 or unlimited should be`);
  const number = Number(word);
  return Number.isSafeInteger(number) ? number : fail(text, 'has a limit that is too large; say unlimited');
}

function fail(text: string, problem: string): never {
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `--ulimit ${text} ${problem}`,
    hint: 'tsrun run --ulimit nofile=1024:4096 …',
  });
}
