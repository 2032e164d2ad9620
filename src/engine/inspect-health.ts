/** Health as `inspect` shows it, under docker's field names. */
import { readFileSync } from 'node:fs';
import type { HealthCheck } from '../store/container-record.ts';
import type { ContainerState } from '../store/container-state.ts';
import { healthCheckFiles } from '../store/paths.ts';

/** One of the last five checks; times in RFC 3339. ExitCode -1: it took too long. */
export interface CheckRecord {
  Start: string;
  End: string;
  ExitCode: number;
  Output: string;
}

/** The checks of this start, the oldest first. */
export function healthLog(directory: string, startedAt: string | undefined): CheckRecord[] {
  const found = healthCheckFiles(directory).flatMap((path): CheckRecord[] => {
    try {
      return [JSON.parse(readFileSync(path, 'utf8')) as CheckRecord];
    } catch {
      return []; // not there yet, or torn by a power cut
    }
  });
  return found
    .filter(({ Start }) => startedAt === undefined || Start >= startedAt)
    .sort((a, b) => (a.Start < b.Start ? -1 : 1));
}

export const inspectHealth = (directory: string, state: ContainerState): Record<string, unknown> => ({
  Status: state.health?.status ?? 'none',
  FailingStreak: state.health?.failing ?? 0,
  Log: healthLog(directory, state.startedAt),
});

const nanoseconds = (ms: number): number => ms * 1e6;

export const inspectHealthCheck = (check: HealthCheck): Record<string, unknown> => ({
  Test: check.test,
  Interval: nanoseconds(check.intervalMs),
  Timeout: nanoseconds(check.timeoutMs),
  StartPeriod: nanoseconds(check.startPeriodMs),
  StartInterval: nanoseconds(check.startIntervalMs),
  Retries: check.retries,
  OnFailure: check.onFailure,
});
