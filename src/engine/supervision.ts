/** A container's record → what its supervisor is to do besides running the programs. */
import type { ContainerRecord } from '../store/container-record.ts';
import type { SupervisorSpec } from '../supervisor/spec.ts';

/** The part of the supervisor's spec that does not depend on this start. */
export function supervision(
  record: ContainerRecord,
): Pick<SupervisorSpec, 'restart' | 'stop' | 'runLimitMs'> {
  return {
    ...restart(record),
    stop: { signal: record.stopSignal, timeoutMs: record.stopTimeout * 1000 },
    runLimitMs: (record.timeout ?? 0) * 1000,
  };
}

function restart({ restart: policy }: ContainerRecord): Pick<SupervisorSpec, 'restart'> {
  switch (policy?.name) {
    case 'always':
    case 'unless-stopped':
      return { restart: { when: 'always' } };
    case 'on-failure':
      return { restart: { when: 'on-failure', limit: policy.maximumRetryCount } };
    default:
      return {};
  }
}
