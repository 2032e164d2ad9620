/** Takes a damaged thing out of the store: off its name by one rename, then its files, whoever owns them. */
import { renameSync } from 'node:fs';
import { removeTreeInside } from '../../rootless/enter.ts';
import { temporaryPath } from '../../store/temporary.ts';
import type { Engine } from '../open-engine.ts';

export function removeObject(engine: Engine, path: string): void {
  const trash = temporaryPath(engine.paths, 'removed');
  renameSync(path, trash);
  removeTreeInside(engine.rootless(), [trash]);
}
