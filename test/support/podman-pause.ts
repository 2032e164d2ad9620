/** podman leaves a process behind that keeps its namespaces. A test that has called it in a store of its own ends it with this. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param runtime the $XDG_RUNTIME_DIR that podman was called with */
export function endPodmanPause(runtime: string): void {
  const file = join(runtime, 'libpod', 'tmp', 'pause.pid');
  if (existsSync(file)) process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
}
