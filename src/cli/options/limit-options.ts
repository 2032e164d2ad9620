/** How much of the machine a container may use. */
import type { CreateRequest } from '../../engine/request.ts';
import type { RuntimeResources } from '../../spec/runtime.ts';
import { parseSize } from '../parse/size.ts';
import { usageError } from '../parse/usage.ts';
import { oneOf, wholeNumber } from '../parse/words-of-choice.ts';
import { type Values, value } from './option.ts';

const size =
  (option: string) =>
  (text: string): number =>
    parseSize(text, option);

/** What is used by 1.5 processors in a period of 100 ms: 150 ms. */
const PERIOD_US = 100_000;

function parseCpus(text: string): number {
  const cpus = Number(text);
  // The kernel refuses a quota below 1 ms (sched-bwc.rst).
  if (/^\d*\.?\d+$|^\d+\.$/.test(text) && (cpus === 0 || cpus >= 0.01) && cpus <= 1e6) return cpus;
  throw usageError(`--cpus ${text}: not a number of processors from 0.01`, '--cpus 1.5');
}

/** `0-3,8`, as cpuset(7) has it. */
const parseCpuset =
  (option: string) =>
  (text: string): string => {
    if (/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return text;
    throw usageError(`${option} ${text}: not a list of numbers`, `${option} 0-1`);
  };

function parseOomScore(text: string): number {
  const score = Number(text);
  if (/^[+-]?\d+$/.test(text) && score >= -1000 && score <= 1000) return score;
  throw usageError(`--oom-score-adj ${text}: not a number from -1000 to 1000`, '--oom-score-adj 500');
}

function parseParent(text: string): string {
  const path = text.replace(/\/+$/, '');
  if (/^(\/[^/]+)+$/.test(path) && !/\/\.\.?(\/|$)/.test(path)) return path;
  throw usageError(
    `--cgroup-parent ${text}: not the path of a cgroup, from the root of /sys/fs/cgroup`,
    '--cgroup-parent /user.slice/user-1000.slice/user@1000.service/app.slice',
  );
}

/** Those that can change while the container runs. */
export const RESOURCE_OPTIONS = {
  'cpu-period': value('MICROSECONDS', 'What --cpu-quota is of', wholeNumber('--cpu-period', 0), {
    default: '100000',
  }),
  'cpu-quota': value(
    'MICROSECONDS',
    'Processor time in each period; -1 is no limit',
    wholeNumber('--cpu-quota', -1),
  ),
  'cpu-shares': value(
    'N',
    'Weight against others when processors are short; 1024 is the usual',
    wholeNumber('--cpu-shares', 0),
    { short: 'c' },
  ),
  cpus: value('N', 'How many processors it may use', parseCpus, { example: '--cpus 1.5' }),
  'cpuset-cpus': value('LIST', 'Which processors it may use', parseCpuset('--cpuset-cpus'), {
    example: '--cpuset-cpus 0-3,8',
  }),
  'cpuset-mems': value('LIST', 'Which memory nodes it may use', parseCpuset('--cpuset-mems')),
  memory: value('SIZE', 'How much memory it may use', size('--memory'), { short: 'm', example: '-m 512m' }),
  'memory-reservation': value(
    'SIZE',
    'How much memory is left to it when memory is short',
    size('--memory-reservation'),
  ),
  'memory-swap': value(
    'SIZE',
    'How much memory and swap together; -1 is no limit',
    (text) => (text === '-1' ? -1 : parseSize(text, '--memory-swap')),
    { default: 'twice --memory' },
  ),
  'pids-limit': value(
    'N',
    'How many processes and threads it may have; -1 is no limit',
    wholeNumber('--pids-limit', -1),
    {
      default: '2048, where the controller is there',
    },
  ),
};

export const LIMIT_OPTIONS = {
  ...RESOURCE_OPTIONS,
  'cgroup-parent': value(
    'PATH',
    'The cgroup that the container’s own is made in; it must be yours',
    parseParent,
    {
      default: 'the one that tsrun is in, or the next above that offers more',
    },
  ),
  cgroups: value(
    'MODE',
    'enabled: a cgroup of its own where you may make one, in which no process of tsrun is (no-conmon says the same); disabled: none; required: an error where a limit cannot be had',
    (text) => {
      const mode = oneOf('--cgroups', ['enabled', 'no-conmon', 'disabled', 'required'] as const)(text);
      return mode === 'no-conmon' ? 'enabled' : mode;
    },
    { default: 'enabled' },
  ),
  'oom-score-adj': value(
    'N',
    'How soon the kernel kills it when memory is short, -1000 to 1000; below your own value needs root',
    parseOomScore,
  ),
};

type Given = Values<typeof LIMIT_OPTIONS>;
type GivenResources = Values<typeof RESOURCE_OPTIONS>;
type LimitsRequest = Pick<CreateRequest, 'resources' | 'oomScoreAdj' | 'cgroups' | 'cgroupParent'>;

/** @throws ERR_TSRUN_USAGE for options that contradict each other */
export function limitsRequest(given: Given): LimitsRequest {
  const resources = runtimeResources(given);
  if (given.cgroups === 'disabled' && Object.keys(resources).length > 0)
    throw usageError('--cgroups disabled: limits need a cgroup', '--cgroups enabled');
  return {
    resources,
    oomScoreAdj: given['oom-score-adj'],
    cgroups: given.cgroups,
    cgroupParent: given['cgroup-parent'],
  };
}

/** @throws ERR_TSRUN_USAGE for options that contradict each other */
function runtimeResources(given: GivenResources): RuntimeResources {
  const memory = memoryLimits(given);
  const cpu = cpuLimits(given);
  const pids = given['pids-limit'];
  return {
    ...(Object.keys(memory).length > 0 && { memory }),
    ...(Object.keys(cpu).length > 0 && { cpu }),
    ...(pids !== undefined && { pids: { limit: pids || -1 } }),
  };
}

export const isLimitGiven = (given: GivenResources): boolean =>
  Object.keys(RESOURCE_OPTIONS).some((name) => given[name as keyof GivenResources] !== undefined);

/**
 * Limits as they become: those of `before`, but for what is given.
 * @throws ERR_TSRUN_USAGE for what contradicts itself, or a limit that stays
 */
export function changedResources(
  { memory, cpu, pids }: RuntimeResources,
  given: GivenResources,
): RuntimeResources {
  const stays = <T>(option: T | undefined, before: T | undefined): T | undefined => option ?? before;
  return runtimeResources({
    memory: stays(given.memory, memory?.limit),
    'memory-swap': stays(given['memory-swap'], swapThatStays(memory, given.memory)),
    'memory-reservation': stays(given['memory-reservation'], memory?.reservation),
    cpus: given.cpus,
    // --cpus takes the place of both.
    'cpu-quota': stays(given['cpu-quota'], given.cpus === undefined ? cpu?.quota : undefined),
    'cpu-period': stays(given['cpu-period'], given.cpus === undefined ? cpu?.period : undefined),
    'cpu-shares': stays(given['cpu-shares'], cpu?.shares),
    'cpuset-cpus': stays(given['cpuset-cpus'], cpu?.cpus),
    'cpuset-mems': stays(given['cpuset-mems'], cpu?.mems),
    'pids-limit': stays(given['pids-limit'], pids?.limit),
  });
}

/** Twice the memory, which nobody asked for, becomes twice the new one; what was asked for stays. */
function swapThatStays(before: RuntimeResources['memory'], memory: number | undefined): number | undefined {
  const { swap, limit = 0 } = before ?? {};
  if (memory === undefined) return swap;
  return memory === 0 || swap === limit * 2 ? undefined : swap;
}

function memoryLimits(given: GivenResources): NonNullable<RuntimeResources['memory']> {
  const { memory: limit = 0, 'memory-swap': swap = 0, 'memory-reservation': reservation = 0 } = given;
  if (swap > 0 && limit === 0) throw usageError('--memory-swap needs --memory', '-m 512m --memory-swap 1g');
  if (swap > 0 && swap < limit)
    throw usageError('--memory-swap is memory and swap together: it cannot be less than --memory');
  if (limit > 0 && reservation > limit) throw usageError('--memory-reservation cannot be more than --memory');
  return {
    ...(limit > 0 && { limit, swap: swap || limit * 2 }),
    ...(limit === 0 && swap < 0 && { swap }),
    ...(reservation > 0 && { reservation }),
  };
}

function cpuLimits(given: GivenResources): NonNullable<RuntimeResources['cpu']> {
  const { cpus, 'cpu-quota': quota, 'cpu-period': period } = given;
  if (cpus && (quota || period))
    throw usageError('--cpus is a quota and a period already: give it, or --cpu-quota and --cpu-period');
  const shares = given['cpu-shares'];
  return {
    ...(cpus && { quota: Math.round(cpus * PERIOD_US), period: PERIOD_US }),
    ...(quota && { quota }),
    ...(period && { period }),
    ...(shares && { shares }),
    ...(given['cpuset-cpus'] !== undefined && { cpus: given['cpuset-cpus'] }),
    ...(given['cpuset-mems'] !== undefined && { mems: given['cpuset-mems'] }),
  };
}
