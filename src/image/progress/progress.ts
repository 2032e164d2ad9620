/** How a pull is shown: a terminal's moving lines, plain lines, JSON for tools, or not at all. */
import type { PullEvent } from '../pull/events.ts';
import { eventLine } from './format.ts';
import { jsonProgress } from './json.ts';
import { plainProgress } from './plain.ts';
import { terminalProgress } from './terminal.ts';

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

/** Warnings are shown even by the quiet ones. */
function quietProgress(write: (text: string) => void): Progress {
  return {
    listen(event) {
      if (event.type === 'warning') write(`${eventLine(event)}\n`);
    },
    end() {},
  };
}

export function createProgress(mode: ProgressMode, stream: ProgressStream): Progress {
  const write = (text: string): void => void stream.write(text);
  const isMoving =
    mode === 'tty' || (mode === 'auto' && stream.isTTY === true && process.env.TERM !== 'dumb');
  if (isMoving) {
    return terminalProgress({ write, columns: () => stream.columns ?? 80, rows: () => stream.rows ?? 24 });
  }
  if (mode === 'json') return jsonProgress(write);
  return mode === 'quiet' ? quietProgress(write) : plainProgress(write);
}
