/**
 * What a killed command leaves behind is taken away by the next one that makes or removes a container (pulls and prunes sweep tmp/ as
 * well): half-made and half-removed directories in tmp/, and the names, sockets and cgroups of containers that never were, or are no more.
 */
import { deadTemporaries, sweepTemporaries } from '../store/temporary.ts';
import type { Engine } from './open-engine.ts';

/** Costs a look into a directory when nobody was killed. @returns false then */
export async function sweep(engine: Engine): Promise<boolean> {
  if (deadTemporaries(engine.paths).length === 0) return false;
  const { engineHooks } = await import('./unpacker.ts');
  const { removeCgroups } = await import('./kept-cgroups.ts');
  // What is in tmp/ says that somebody died: it goes last.
  engine.containers.sweepNames();
  engine.containers.sweepSockets((id) => removeCgroups(engine.paths, id));
  await sweepTemporaries(engine.paths, engineHooks(engine).removeTree);
  return true;
}
