/**
 * Limits of a container that runs → what is written to its cgroup so that others hold. Pure. In a running container a limit that is given
 * up must be written, too: the file goes back to what the kernel has in a new cgroup.
 */
import type { RuntimeResources } from '../../spec/runtime.ts';
import { type LimitFile, limitFiles } from './limit-files.ts';

/** A new cgroup's values (cgroup-v2.rst; cgroup-v1/memory.rst, sched-design-CFS.rst). cpuset's files have no such value in v1. */
const UNLIMITED: Readonly<Record<string, string>> = {
  'memory.max': 'max',
  'memory.swap.max': 'max',
  'memory.low': '0',
  'cpu.weight': '100',
  'cpu.max': 'max 100000',
  'cpuset.cpus': '\n',
  'cpuset.mems': '\n',
  'pids.max': 'max',
  'memory.limit_in_bytes': '-1',
  'memory.memsw.limit_in_bytes': '-1',
  'memory.soft_limit_in_bytes': '-1',
  'cpu.shares': '1024',
  'cpu.cfs_period_us': '100000',
  'cpu.cfs_quota_us': '-1',
};

/** @returns the files whose value differs */
export function changedFiles(before: RuntimeResources, after: RuntimeResources, version: 1 | 2): LimitFile[] {
  const [old, wanted] = [limitFiles(before, version), limitFiles(after, version)];
  const names = new Set(wanted.map(({ name }) => name));
  const givenUp = old
    .filter(({ name }) => !names.has(name))
    .map((file) => ({ ...file, value: UNLIMITED[file.name] ?? '' }));
  const held = new Map(old.map(({ name, value }) => [name, value]));
  return [...givenUp, ...wanted.filter(({ name, value }) => held.get(name) !== value)];
}
