/** containers/<id>/paused: that a start of the container was paused, and how. Whether it still is, is looked up where it cannot lie. */
import { readFileSync } from 'node:fs';
import { processState } from '../sys/process.ts';
import { isFrozen } from './freezer.ts';

export interface PausedFile {
  /** Of state.json: another start is another container. */
  startedAt: string;
  how: 'cgroup' | 'signals';
  /** Its directory. */
  cgroup?: string;
}

/** The file at `path`, if the container that was started then is held now. @param pid of its init */
export function readPaused(path: string, startedAt: string, pid: number): PausedFile | undefined {
  let file: PausedFile;
  try {
    file = JSON.parse(readFileSync(path, 'utf8')) as PausedFile;
  } catch {
    return undefined; // none, or torn by a power cut
  }
  if (file.startedAt !== startedAt) return undefined;
  const isHeld = file.cgroup === undefined ? processState(pid) === 'T' : isFrozen(file.cgroup);
  return isHeld ? file : undefined;
}
