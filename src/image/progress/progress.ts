/** What shows a pull, and where. */
import type { PullEvent } from '../pull/events.ts';

export interface Progress {
  listen(event: PullEvent): void;
  /** Leaves the display in order, whatever happened. */
  end(): void;
}

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'json' | 'quiet';

/** Where progress goes; process.stderr is one. */
export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}
