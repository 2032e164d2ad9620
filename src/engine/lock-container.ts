/**
 * A container is started, or removed, by one command at a time. The lock is on its runtime directory, which a start opens anyway.
 * How a container ends needs no lock: that is its supervisor's business alone.
 */
import { existsSync, rmdirSync } from 'node:fs';
import { type FileLock, waitForLock } from '../store/lock.ts';
import { containerDirectory, runtimeContainerDirectory } from '../store/paths.ts';
import type { Engine } from './open-engine.ts';

/** Waits for its turn; undefined when there is no such container any more. The lock's `fd` is the runtime directory's. */
export async function lockContainer(engine: Engine, id: string): Promise<FileLock | undefined> {
  const runtime = runtimeContainerDirectory(engine.paths, id);
  const lock = await waitForLock(runtime, { lockable: 'directory' });
  if (existsSync(containerDirectory(engine.paths, id))) return lock;
  // Whoever removed the container has removed this, too: it is ours, and empty. Or it is being removed just now, with what is in it.
  try {
    rmdirSync(runtime);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  lock.release();
  return undefined;
}
