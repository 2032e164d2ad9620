/** What a container gets less of here than elsewhere: one line each, said when it is made. `tsrun doctor` tells it in full. */
import { userInfo } from 'node:os';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './open-engine.ts';

const COST = {
  overlay: undefined,
  'fuse-overlayfs': 'the storage driver is fuse-overlayfs, through which files are slower',
  copy: 'the storage driver is copy: every container gets its own copy of the whole image',
} as const;

/** @param rejectedDrivers why each better storage driver was not taken */
export function degradations(
  engine: Pick<Engine, 'maps' | 'runtimeProblem'>,
  { rootfsDriver }: Pick<ContainerRecord, 'rootfsDriver'>,
  rejectedDrivers: readonly string[],
): string[] {
  const lines: string[] = [];
  if (engine.runtimeProblem !== undefined) lines.push(engine.runtimeProblem);
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
