/** mounts/<id>: what images and containers are mounted on to be looked at. */
import { rmdirSync } from 'node:fs';
import { lookedAt, type StorePaths } from './paths.ts';

/** Removes the directory, if it is there and nothing is mounted on it. */
export function removeMountpoint(paths: StorePaths, id: string): void {
  try {
    rmdirSync(lookedAt(paths, id));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EBUSY') throw error; // busy: mounted in another namespace of this kind
  }
}
