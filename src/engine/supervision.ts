/** A container's record → what its supervisor is to do besides running the programs. */
import type { ContainerRecord, RestartPolicy } from '../store/container-record.ts';
import type { RestartOrders } from '../supervisor/messages.ts';
import type { SupervisorSpec } from '../supervisor/spec.ts';

/** The part of the supervisor's spec that does not depend on this start. */
export function supervision(
  record: ContainerRecord,
): Pick<SupervisorSpec, 'restart' | 'stop' | 'runLimitMs'> {
  const orders = restartOrders(record.restart);
  return {
    ...(orders && { restart: orders }),
    stop: { signal: record.stopSignal, timeoutMs: record.stopTimeout * 1000 },
    runLimitMs: (record.timeout ?? 0) * 1000,
  };
}

/** Undefined: it is not started again. */
export function restartOrders(policy: RestartPolicy | undefined): RestartOrders | undefined {
  switch (policy?.name) {
    case 'always':
    case 'unless-stopped':
      return { when: 'always' };
    case 'on-failure':
      return { when: 'on-failure', limit: policy.maximumRetryCount };
    default:
      return undefined;
  }
}
