/**
 * Limits of the runtime configuration → files of a cgroup. Pure. Names and values: cgroup-v2.rst and cgroup-v1/ of the kernel's
 * documentation; what the OCI names mean in v2, as runc and crun convert it (config-linux.md speaks of v1).
 */
import type { RuntimeResources } from '../../spec/runtime.ts';

/** What a container that says nothing of it gets, where the controller is there; podman's. */
export const DEFAULT_PIDS_LIMIT = 2048;

export type Controller = 'memory' | 'cpu' | 'cpuset' | 'pids';

/** One file to write. */
export interface LimitFile {
  controller: Controller;
  /** In the container's cgroup. */
  name: string;
  value: string;
  /** The kernel may have been built, or started, without it: that is no failure. */
  mayLack?: boolean;
}

/** What is written for a container: its limits, and the usual one. */
export const limitsInForce = (resources: RuntimeResources): RuntimeResources => ({
  pids: { limit: DEFAULT_PIDS_LIMIT },
  ...resources,
});

/** Which controllers these limits need. */
export function controllersFor(resources: RuntimeResources): Controller[] {
  return [...new Set(limitFiles(resources, 2).map(({ controller }) => controller))];
}

/** The files in the order in which they are to be written: v1 refuses a swap limit below the memory limit. */
export function limitFiles(resources: RuntimeResources, version: 1 | 2): LimitFile[] {
  return version === 2 ? unified(resources) : legacy(resources);
}

type Written = [controller: Controller, name: string, value: string | undefined, mayLack?: boolean];

const files = (list: readonly Written[]): LimitFile[] =>
  list.flatMap(([controller, name, value, mayLack]) =>
    value === undefined ? [] : [{ controller, name, value, ...(mayLack && { mayLack }) }],
  );

/** 0 = not set, below 0 = no limit */
const amount = (value: number | undefined, none: string): string | undefined =>
  value ? (value < 0 ? none : String(value)) : undefined;

function unified({ memory, cpu, pids }: RuntimeResources): LimitFile[] {
  return files([
    ['memory', 'memory.max', amount(memory?.limit, 'max')],
    ['memory', 'memory.swap.max', swapOnly(memory), true],
    ['memory', 'memory.low', amount(memory?.reservation, '0')],
    ['cpu', 'cpu.weight', cpu?.shares ? String(cpuWeight(cpu.shares)) : undefined],
    ['cpu', 'cpu.max', cpu?.quota || cpu?.period ? cpuMax(cpu.quota, cpu.period) : undefined],
    ['cpuset', 'cpuset.cpus', cpu?.cpus],
    ['cpuset', 'cpuset.mems', cpu?.mems],
    ['pids', 'pids.max', pidsMax(pids)],
  ]);
}

function legacy({ memory, cpu, pids }: RuntimeResources): LimitFile[] {
  return files([
    ['memory', 'memory.limit_in_bytes', amount(memory?.limit, '-1')],
    ['memory', 'memory.memsw.limit_in_bytes', amount(memory?.swap, '-1'), true],
    ['memory', 'memory.soft_limit_in_bytes', amount(memory?.reservation, '-1')],
    ['cpu', 'cpu.shares', amount(cpu?.shares, '2')],
    ['cpu', 'cpu.cfs_period_us', amount(cpu?.period, '100000')],
    ['cpu', 'cpu.cfs_quota_us', amount(cpu?.quota, '-1')],
    ['cpuset', 'cpuset.cpus', cpu?.cpus],
    ['cpuset', 'cpuset.mems', cpu?.mems],
    ['pids', 'pids.max', pidsMax(pids)],
  ]);
}

const pidsMax = (pids: RuntimeResources['pids']): string | undefined =>
  pids && pids.limit > 0 ? String(pids.limit) : undefined;

const cpuMax = (quota: number | undefined, period: number | undefined): string =>
  `${amount(quota, 'max') ?? 'max'} ${period || 100_000}`;

/** v1 and OCI count memory and swap together, v2 swap alone. */
function swapOnly(memory: RuntimeResources['memory']): string | undefined {
  const { swap, limit = 0 } = memory ?? {};
  if (!swap) return undefined;
  return swap < 0 ? 'max' : String(Math.max(0, swap - Math.max(0, limit)));
}

/**
 * cpu.shares (2…262144, usually 1024) → cpu.weight (1…10000, usually 100), so that both ends and the usual value meet: the function of
 * opencontainers/cgroups (ConvertCPUSharesToCgroupV2Value), which crun has too.
 */
export function cpuWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}
