/** One JSON object a line: the events themselves, for tools. Progress within a state comes at most ten times a second for each layer. */
import type { Digest } from '../../spec/image.ts';
import type { LayerStatus } from '../pull/events.ts';
import type { Progress } from './progress.ts';

const INTERVAL_MS = 100;

export function jsonProgress(write: (text: string) => void, now: () => number = Date.now): Progress {
  const last = new Map<Digest, { status: LayerStatus; at: number }>();
  return {
    listen(event) {
      if (event.type === 'layer') {
        const before = last.get(event.digest);
        if (before?.status === event.status && now() - before.at < INTERVAL_MS) return;
        last.set(event.digest, { status: event.status, at: now() });
      }
      write(`${JSON.stringify(event)}\n`);
    },
    end() {},
  };
}
