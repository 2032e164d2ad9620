/**
 * Can images be unpacked where the store is? On NFS and its kind the server does not let a user give files to subordinate ids, and FAT
 * knows no owners at all; the pull would end with "Operation not permitted" after all has been downloaded. So before anything is fetched
 * for a store on a file system that is not known to be good, it is tried: a file, its owner, a link.
 */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { type Rootless, removeTreeInside, runInside } from '../rootless/enter.ts';
import { NamespaceFailure } from '../rootless/namespace-failure.ts';
import { fileSystem } from '../store/file-systems.ts';
import type { StorePaths } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { call, close } from '../sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_WRONLY } from '../sys/constants.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { systemWords } from '../sys/run.ts';
import type { Slots, Step } from '../sys/step.ts';

/** What unpacking does that such file systems refuse; the second half only where there are subordinate ids. */
export function trialSteps(slots: Slots, directory: string, isSingle: boolean): Step[] {
  const fd = slots.new('file');
  const file = join(directory, 'file');
  const do_ = (why: string, name: 'symlinkat' | 'fchownat' | 'fchmodat', args: (string | number)[]): Step =>
    call('rootless', why, name, args);
  return [
    call('rootless', 'a file', 'openat', [AT_FDCWD, file, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600], {
      result: fd,
    }),
    close('rootless', 'it stays empty', fd),
    do_('that may be executed', 'fchmodat', [AT_FDCWD, file, 0o755]),
    do_('a symbolic link', 'symlinkat', ['file', AT_FDCWD, join(directory, 'link')]),
    ...(isSingle ? [] : [do_('a file of a subordinate id', 'fchownat', [AT_FDCWD, file, 1, 1, 0])]),
  ];
}

/** Of the file system where the store is, or is to be. */
function typeOf({ root }: StorePaths): number {
  makeDirectories(root, 0o700); // asked before anything is in it
  return statfsSync(root).type;
}

/** @throws ERR_TSRUN_STORE_FILE_SYSTEM */
export function requireStore(paths: StorePaths, rootless: Rootless, type = typeOf(paths)): void {
  const kind = fileSystem(type);
  if (kind.isOrdinary) return;
  const scratch = temporaryPath(paths, 'trial');
  makeDirectories(scratch);
  try {
    runInside(rootless, (slots) => trialSteps(slots, scratch, rootless.maps.single));
  } catch (error) {
    if (!(error instanceof NamespaceFailure)) throw error;
    const { step, errno } = error.failure;
    const data = { root: paths.root, kind: kind.name, doing: step.why, isRemote: kind.isRemote === true };
    throw tsrunError('ERR_TSRUN_STORE_FILE_SYSTEM', data, systemWords(step, errno));
  } finally {
    removeTreeInside(rootless, [scratch]);
  }
}
