/** Limits of a container under docker's names of HostConfig: what was asked for, whether or not this machine has the controllers. */
import { DEFAULT_PIDS_LIMIT } from '../launch/cgroup/limit-files.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord } from '../store/container-record.ts';

export function inspectLimits(record: ContainerRecord, config: RuntimeConfig): Record<string, unknown> {
  const { memory, cpu, pids } = config.linux.resources ?? {};
  const disabled = record.cgroups === 'disabled';
  const { quota = 0, period = 0 } = cpu ?? {};
  return {
    Memory: memory?.limit ?? 0,
    MemorySwap: memory?.swap ?? 0,
    MemoryReservation: memory?.reservation ?? 0,
    NanoCpus: quota > 0 && period > 0 ? Math.round((quota / period) * 1e9) : 0,
    CpuShares: cpu?.shares ?? 0,
    CpuPeriod: period,
    CpuQuota: quota,
    CpusetCpus: cpu?.cpus ?? '',
    CpusetMems: cpu?.mems ?? '',
    PidsLimit: disabled ? 0 : (pids?.limit ?? DEFAULT_PIDS_LIMIT),
    OomScoreAdj: config.process.oomScoreAdj ?? 0,
    Cgroups: record.cgroups ?? 'enabled',
    CgroupParent: record.cgroupParent ?? '',
  };
}
