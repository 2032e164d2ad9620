/** What a container gets less of here than elsewhere: one line each, said when it is made. `tsrun doctor` tells it in full. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { ContainerRecord } from '../store/container-record.ts';
import { currentBootId } from '../sys/process.ts';
import type { Engine } from './open-engine.ts';

const COST = {
  overlay: undefined,
  'fuse-overlayfs': 'the storage driver is fuse-overlayfs, through which files are slower',
  copy: 'the storage driver is copy: every container gets its own copy of the whole image',
} as const;

/** Where the sockets are, if not in $XDG_RUNTIME_DIR: said once in a boot, as long as nothing changes about it. */
export function sayRuntimeProblem(engine: Pick<Engine, 'paths' | 'runtimeProblem' | 'warn'>): void {
  const { paths, runtimeProblem } = engine;
  if (runtimeProblem === undefined) return;
  const file = join(paths.runtime, 'said');
  const said = `${currentBootId()} ${runtimeProblem}`;
  try {
    if (readFileSync(file, 'utf8') === said) return;
  } catch {
    // never said
  }
  engine.warn(runtimeProblem);
  mkdirSync(paths.runtime, { recursive: true, mode: 0o700 });
  writeFileSync(file, said, { mode: 0o600 });
}

/** @param rejectedDrivers why each better storage driver was not taken */
export function degradations(
  engine: Pick<Engine, 'maps'>,
  { rootfsDriver }: Pick<ContainerRecord, 'rootfsDriver'>,
  rejectedDrivers: readonly string[],
): string[] {
  const lines: string[] = [];
  if (engine.maps.single) {
    const user = userInfo().username;
    lines.push(
      `${user} has no subordinate ids: containers have one user, and all files are that user’s (tsrun doctor: how to get some)`,
    );
  }
  const cost = COST[rootfsDriver];
  if (cost !== undefined && rejectedDrivers.length > 0) lines.push(`${cost} (${rejectedDrivers.join('; ')})`);
  return lines;
}
