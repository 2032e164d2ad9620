/** The image's HEALTHCHECK and the user's options → what is checked, how and how often. */
import { tsrunError } from '../errors.ts';
import type { ImageRunConfig } from '../spec/image.ts';
import type { HealthCheck } from '../store/container-record.ts';
import type { HealthRequest } from './request.ts';

/** Docker's. */
const DEFAULTS = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  startPeriodMs: 0,
  startIntervalMs: 5000,
  retries: 3,
} as const;

/** Undefined when there is none. @throws ERR_TSRUN_USAGE for options of a check without a command */
export function healthCheck(image: ImageRunConfig, request: HealthRequest): HealthCheck | undefined {
  if (request.none) return undefined;
  const test = testOf(image, request.command);
  if (test === undefined) {
    const { command: _command, none: _none, ...rest } = request;
    const given = Object.values(rest).some((option) => option !== undefined);
    if (given && request.command === undefined) throw withoutCommand('the image has none');
    return undefined;
  }
  const { Interval, Timeout, StartPeriod, StartInterval, Retries } = image.Healthcheck ?? {};
  return {
    test,
    intervalMs: request.intervalMs ?? (milliseconds(Interval) || DEFAULTS.intervalMs),
    timeoutMs: request.timeoutMs ?? (milliseconds(Timeout) || DEFAULTS.timeoutMs),
    startPeriodMs: request.startPeriodMs ?? milliseconds(StartPeriod),
    startIntervalMs: request.startIntervalMs ?? (milliseconds(StartInterval) || DEFAULTS.startIntervalMs),
    retries: request.retries ?? (Retries || DEFAULTS.retries),
    onFailure: request.onFailure ?? 'none',
  };
}

/** What becomes of a container's check. Undefined when there is none any more. @throws ERR_TSRUN_USAGE for options of a check without a command */
export function changedHealthCheck(
  before: HealthCheck | undefined,
  { none, command, ...rest }: HealthRequest,
): HealthCheck | undefined {
  if (none || command === 'none') return undefined;
  const test = command === undefined ? before?.test : testOf({}, command);
  if (!test) throw withoutCommand('the container has no check');
  const given = Object.fromEntries(Object.entries(rest).filter(([, option]) => option !== undefined));
  return { ...DEFAULTS, onFailure: 'none', ...before, ...given, test };
}

const withoutCommand = (why: string): Error =>
  tsrunError('ERR_TSRUN_USAGE', {
    problem: `there is an option of a health check, but no command for it: ${why}`,
    hint: "--health-cmd 'wget -q -O /dev/null http://localhost/'",
  });

/** Images have nanoseconds. */
const milliseconds = (nanoseconds = 0): number => Math.round(nanoseconds / 1e6);

/** `none`, a JSON list for a command without a shell, or a line for the shell (podman's and docker's `--health-cmd`). */
function testOf(image: ImageRunConfig, command: string | undefined): string[] | undefined {
  if (command === undefined) {
    const { Test = [] } = image.Healthcheck ?? {};
    return Test.length > 1 && Test[0] !== 'NONE' ? Test : undefined;
  }
  if (command === 'none') return undefined;
  return command.startsWith('[') ? ['CMD', ...wordsOf(command)] : ['CMD-SHELL', command];
}

function wordsOf(text: string): string[] {
  try {
    const words: unknown = JSON.parse(text);
    const isList =
      Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === 'string');
    if (isList) return words as string[];
  } catch {
    // not JSON: the same as JSON of something else
  }
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `--health-cmd ${text}: not a JSON list of words`,
    hint: `--health-cmd '["wget", "-q", "http://localhost/"]'`,
  });
}

/** The words that are executed. @param shell the image's, for CMD-SHELL */
export const healthCommand = (
  [kind, ...words]: readonly string[],
  shell: readonly string[] = [],
): string[] => (kind === 'CMD-SHELL' ? [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), ...words] : words);
