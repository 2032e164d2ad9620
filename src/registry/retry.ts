/** Trying again: what may pass by itself (resets, time-outs, 5xx, 429) is tried again after a growing, jittered pause. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryPolicy {
  /** Attempts without any progress, the first included. */
  attempts: number;
  /** Doubles with each attempt. */
  firstDelayMs: number;
  longestDelayMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 500, longestDelayMs: 30_000 };

/** A failure that may pass. Never leaves src/registry: withRetries throws the `failure` inside when it gives up. */
export class TransientFailure extends Error {
  readonly failure: Error;
  /** What the server asked for (Retry-After). */
  readonly retryAfterMs: number | undefined;
  constructor(failure: Error, retryAfterMs?: number) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Retry-After (RFC 9110 §10.2.3) in milliseconds: seconds or a date; undefined when absent or senseless. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

export interface RetryOptions {
  policy: RetryPolicy;
  signal?: AbortSignal | undefined;
  /** Called before each pause. */
  onRetry?: ((failure: Error, delayMs: number) => void) | undefined;
  /** A figure that grows with progress; attempts are counted anew when it has grown. */
  progress?: () => number;
}

/** Runs `attempt` until it succeeds, fails for good, or has been tried often enough. */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, signal } = options;
  let failures = 0;
  let reached = options.progress?.() ?? 0;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const now = options.progress?.() ?? 0;
      failures = now > reached ? 1 : failures + 1;
      // What is begun anew falls back; only bytes never reached before are progress.
      reached = Math.max(reached, now);
      if (failures >= policy.attempts) throw error.failure;
      const backoff = policy.firstDelayMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
      const delayMs = Math.max(error.retryAfterMs ?? 0, Math.min(backoff, policy.longestDelayMs));
      options.onRetry?.(error.failure, delayMs);
      await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
    }
  }
}
