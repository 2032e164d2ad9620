import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * Makes a directory and those above it, which may be there. Not `mkdirSync(…, { recursive: true })`: that tries for ever where mkdir(2)
 * says ENOENT though the parent is there, as in /proc, or in a working directory that was removed. Throws the system's error.
 */
export function makeDirectories(path: string, mode = 0o777): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectories(parent, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    if (!isDirectory(path)) throw error; // else somebody was quicker
  }
}
