/** A container's health check → the supervisor's orders. Loaded only for containers that have one. */
import { healthProgram } from '../launch/health-program.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord, HealthCheck } from '../store/container-record.ts';
import type { HealthSpec } from '../supervisor/spec.ts';
import { encodeProgram } from '../sys/encode.ts';
import { healthCommand } from './health-check.ts';

export function healthSpec(
  record: ContainerRecord,
  check: HealthCheck,
  config: RuntimeConfig,
  filterCache: string,
  cgroups: readonly string[] = [],
): HealthSpec {
  const { test, shell, ...times } = check;
  const process = { ...config.process, terminal: false, args: healthCommand(test, shell) };
  const program = healthProgram({
    config: { ...config, process },
    canSetGroups: !record.singleId,
    filterCache,
    cgroups,
  });
  return { ...times, program: encodeProgram(program).image };
}
