/** A start that failed while the container's cgroup was made: nothing of the cgroup stays, and the error speaks of the limit. */
import { tsrunError } from '../errors.ts';
import type { CgroupPlan } from '../launch/cgroup/plan.ts';
import { NamespaceFailure } from '../rootless/namespace-failure.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { systemWords } from '../sys/run.ts';
import { removeCgroup } from './kept-cgroups.ts';

/** @returns what is to be thrown: ERR_TSRUN_START for a limit that the kernel does not take, else the error as it is */
export function cgroupFailure(error: unknown, { name }: ContainerRecord, cgroup: CgroupPlan): unknown {
  // Any other failure is the supervisor's, whose cleanup removes the cgroup.
  if (!(error instanceof NamespaceFailure)) return error;
  for (const directory of cgroup.directories) removeCgroup(directory);
  const { step, errno } = error.failure;
  if (!cgroup.makes(step)) return error;
  return tsrunError('ERR_TSRUN_START', { container: name, doing: step.why }, systemWords(step, errno));
}
