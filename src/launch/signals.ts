/** Signals, signal(7): the names and numbers that `--stop-signal`, `kill -s` and an image's StopSignal may give. */
import { tsrunError } from '../errors.ts';

/** asm-generic/signal.h; x86-64 and arm64 have the same numbers. */
export const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/** Older names of the same numbers. */
const ALIASES: Readonly<Record<string, number>> = { SIGIOT: 6, SIGCLD: 17, SIGPOLL: 29, SIGUNUSED: 31 };

/** The C library keeps 32 and 33 for itself; SIGRTMIN as programs and docker know it is 34. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** The number of `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`. Throws ERR_TSRUN_USAGE. */
export function parseSignal(text: string): number {
  const number = parseNumber(text) ?? named(text) ?? realTime(text);
  if (number !== undefined && number >= 1 && number <= SIGRTMAX) return number;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `there is no signal "${text}"`,
    hint: 'give a name (TERM, SIGTERM, RTMIN+3) or a number from 1 to 64',
  });
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37, `signal 32` for what has no name. */
export function signalName(number: number): string {
  const name = Object.entries(SIGNALS).find(([, value]) => value === number)?.[0];
  if (name) return name;
  if (number < SIGRTMIN || number > SIGRTMAX) return `signal ${number}`;
  return number === SIGRTMIN
    ? 'SIGRTMIN'
    : number === SIGRTMAX
      ? 'SIGRTMAX'
      : `SIGRTMIN+${number - SIGRTMIN}`;
}

function parseNumber(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}

const withPrefix = (text: string): string => {
  const upper = text.toUpperCase();
  return upper.startsWith('SIG') ? upper : `SIG${upper}`;
};

function named(text: string): number | undefined {
  const name = withPrefix(text);
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name];
  return Object.hasOwn(SIGNALS, name) ? SIGNALS[name as keyof typeof SIGNALS] : undefined;
}

function realTime(text: string): number | undefined {
  const match = /^SIGRT(?:MIN(?:\+(\d{1,2}))?|MAX(?:-(\d{1,2}))?)$/.exec(withPrefix(text));
  if (!match) return undefined;
  const number = match[0].startsWith('SIGRTMIN')
    ? SIGRTMIN + Number(match[1] ?? 0)
    : SIGRTMAX - Number(match[2] ?? 0);
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}
