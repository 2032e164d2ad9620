/** What the supervisor does for a container besides holding its streams. */
import type { HealthRequest, LogRequest } from '../../engine/request.ts';
import { parseLogOption } from '../parse/log-option.ts';
import { parseRestartPolicy } from '../parse/restart-policy.ts';
import { parseDuration } from '../parse/time.ts';
import { usageError } from '../parse/usage.ts';
import { nonEmpty, oneOf, wholeNumber } from '../parse/words-of-choice.ts';
import { flag, list, type Values, value } from './option.ts';

/** `1m30s`, or 0, in milliseconds. */
const durationOrNone =
  (option: string) =>
  (text: string): number => {
    const ms = text === '0' ? 0 : parseDuration(text);
    if (ms !== undefined && (ms === 0 || ms >= 1)) return ms;
    throw usageError(`${option} ${text}: not a time of 1ms or more`, `${option} 30s`);
  };

/** 0, as docker has it, is not given. */
const duration =
  (option: string) =>
  (text: string): number | undefined =>
    durationOrNone(option)(text) || undefined;

/** podman's word for a check that is only run when it is asked for. */
const interval = (text: string): number | undefined =>
  text === 'disable' ? 0 : duration('--health-interval')(text);

export const NOTIFY_MODES = ['container', 'conmon', 'healthy', 'ignore'] as const;
const HEALTH_ACTIONS = ['none', 'kill', 'restart', 'stop'] as const;

export const HEALTH_OPTIONS = {
  'health-cmd': value(
    'COMMAND',
    'How to find out whether the container is healthy: a line for its shell, a JSON list, or none',
    nonEmpty('--health-cmd'),
    { example: "--health-cmd 'wget -q -O /dev/null http://localhost/'" },
  ),
  'health-interval': value(
    'TIME',
    'From one health check to the next; disable for none but by hand',
    interval,
    {
      default: '30s',
    },
  ),
  'health-on-failure': value(
    'ACTION',
    'What becomes of an unhealthy container: none, kill, restart or stop',
    oneOf('--health-on-failure', HEALTH_ACTIONS),
    { default: 'none' },
  ),
  'health-retries': value(
    'N',
    'How many checks must fail in a row to make it unhealthy',
    wholeNumber('--health-retries', 1),
    { default: '3' },
  ),
  'health-start-interval': value(
    'TIME',
    'From one health check to the next in the start period',
    duration('--health-start-interval'),
    { default: '5s' },
  ),
  'health-start-period': value(
    'TIME',
    'How long after the start a failing check does not count, until one has succeeded',
    durationOrNone('--health-start-period'),
    { default: '0s' },
  ),
  'health-timeout': value('TIME', 'How long a health check may take', duration('--health-timeout'), {
    default: '30s',
  }),
  'no-healthcheck': flag('Run no health check, though the image has one'),
};

export const SUPERVISION_OPTIONS = {
  ...HEALTH_OPTIONS,
  restart: value(
    'POLICY',
    'Start it again when it ends: no, on-failure[:TIMES], always or unless-stopped; after a pause that doubles from 0.1 s to 1 min, and not ' +
      'after `tsrun stop` or `tsrun kill`',
    parseRestartPolicy,
    { default: 'no', example: '--restart on-failure:5' },
  ),
  'log-driver': value(
    'DRIVER',
    "Where its output is kept: k8s-file or json-file (docker's format), files beside the container; journald; none; or passthrough: it has tsrun's own stdin, stdout and stderr, which must be no terminal",
    oneOf('--log-driver', ['k8s-file', 'json-file', 'journald', 'passthrough', 'none'] as const),
    { default: 'k8s-file' },
  ),
  'log-opt': list(
    'KEY=VALUE',
    'max-size=SIZE is how long the log grows before it is rotated, -1 for ever; max-file=N how many files are kept; path=FILE where it is; ' +
      'tag=TEMPLATE what each record is marked with (json-file, journald)',
    parseLogOption,
    { example: '--log-opt max-size=1m --log-opt max-file=3' },
  ),
  sdnotify: value(
    'WHO',
    'Who tells systemd, by NOTIFY_SOCKET, that a unit of Type=notify is ready: container, conmon (tsrun, when the container runs), healthy (its ' +
      'supervisor, with the first health check that succeeds), or ignore: nobody',
    oneOf('--sdnotify', NOTIFY_MODES),
    { default: 'container' },
  ),
  timeout: value('SECONDS', 'Kill the container when it has run so long', wholeNumber('--timeout', 0), {
    default: '0, for ever',
  }),
};

type Given = Values<typeof SUPERVISION_OPTIONS> & { rm: boolean; tty: boolean };

type HealthValues = Values<typeof HEALTH_OPTIONS>;
type HealthOption = keyof HealthValues;

/** Those of a health check that are given. */
export const givenHealthOptions = (given: HealthValues): HealthOption[] =>
  (Object.keys(HEALTH_OPTIONS) as HealthOption[]).filter((name) => (given[name] ?? false) !== false);

/** Throws ERR_TSRUN_USAGE for an option of a check together with --no-healthcheck. */
export function healthRequest(given: HealthValues): HealthRequest {
  const none = given['no-healthcheck'];
  const useless = none && givenHealthOptions(given).find((name) => name !== 'no-healthcheck');
  if (useless)
    throw usageError(`--no-healthcheck and --${useless} contradict each other`, 'leave one of the two out');
  return {
    none,
    command: given['health-cmd'],
    intervalMs: given['health-interval'],
    timeoutMs: given['health-timeout'],
    startPeriodMs: given['health-start-period'],
    startIntervalMs: given['health-start-interval'],
    retries: given['health-retries'],
    onFailure: given['health-on-failure'],
  };
}

/** Throws ERR_TSRUN_USAGE for options that the driver has no use for. */
export function logRequest(given: Pick<Given, 'log-driver' | 'log-opt'>): LogRequest {
  const driver = given['log-driver'] ?? 'k8s-file';
  const options: Omit<LogRequest, 'driver'> = Object.assign({}, ...given['log-opt']);
  const isFile = driver === 'k8s-file' || driver === 'json-file';
  const refused =
    (options.tag !== undefined && driver !== 'json-file' && driver !== 'journald' && 'tag') ||
    (options.path !== undefined && !isFile && 'path') ||
    (options.maxBytes !== undefined && !isFile && 'max-size') ||
    (options.files !== undefined && !isFile && 'max-file');
  if (refused) {
    throw usageError(
      `--log-opt ${refused} means nothing with --log-driver ${driver}`,
      refused === 'tag' ? '--log-driver json-file' : '--log-driver k8s-file',
    );
  }
  return { driver, ...options };
}

/** Throws ERR_TSRUN_USAGE. */
export function refuseContradictions(given: Given): void {
  if (given['log-driver'] === 'passthrough' && (given.tty || given.restart)) {
    throw usageError(
      given.tty
        ? '-t and --log-driver passthrough contradict each other: a container has a terminal of its own, or your streams'
        : '--restart and --log-driver passthrough contradict each other: later starts would not have the streams',
      'leave one of the two out',
    );
  }
  if (given.rm && given.restart) {
    throw usageError(
      `--rm and --restart ${given.restart.name} contradict each other: a container that is removed cannot be started again`,
      'leave one of the two out',
    );
  }
}
