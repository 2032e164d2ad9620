/** What `tsrun wait --condition` can wait for: podman's words. */
import type { ContainerPhase } from '../store/container-state.ts';
import type { ContainerView } from './container-view.ts';

const PHASES: Readonly<Record<string, readonly ContainerPhase[]>> = {
  configured: ['created'],
  created: ['created'],
  exited: ['exited'],
  initialized: ['created'],
  paused: ['paused'],
  running: ['running'],
  stopped: ['exited'],
  stopping: ['stopping'],
};

export const WAIT_CONDITIONS = [
  ...Object.keys(PHASES),
  'healthy',
  'unhealthy',
  'removing',
  'removed',
] as const;

/** Whether one of them holds. @param view undefined when the container has been removed */
export function conditionHolds(conditions: readonly string[], view: ContainerView | undefined): boolean {
  return conditions.some((condition) => {
    if (!view) return condition === 'removing' || condition === 'removed';
    const { phase, health } = view.state;
    return PHASES[condition]?.includes(phase) || (phase === 'running' && health?.status === condition);
  });
}

/** Whether a container that has been removed would be waited for in vain. */
export const endsWithRemoval = (conditions: readonly string[]): boolean =>
  conditions.some((condition) => ['exited', 'stopped', 'stopping'].includes(condition));
