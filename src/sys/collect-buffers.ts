/**
 * Buffers live outside V8's heap, where it notices them late: it lets 64 MB of dead ones pile up before it collects. Whoever makes one
 * large buffer after the other tells of it here, and the young generation, in which they all are, is collected in time.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY_BYTES = 8 << 20;

type CollectGarbage = (options: { type: 'minor' }) => void;

let collect: CollectGarbage | undefined;
let bytesSince = 0;

/** `bytes` have been allocated that will soon be garbage. */
export function tellOfBuffer(bytes: number): void {
  bytesSince += bytes;
  if (bytesSince < EVERY_BYTES) return;
  bytesSince = 0;
  collect ??= findCollector();
  collect({ type: 'minor' });
}

/** Changes V8's flags, after which code caches (src/cli/load-bundle.ts) are refused: this comes when all is loaded. */
function findCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectGarbage;
}
