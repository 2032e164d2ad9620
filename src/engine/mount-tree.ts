/**
 * Trees mounted to be looked at, in `tsrun unshare`: `tsrun image mount` and `tsrun mount`.
 *
 * Only there may a mount be made, and be seen: in the user and mount namespaces of the containers. It is read-only, and stays until it is
 * unmounted or the namespaces end, with the last process in them.
 */

import { readFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { removeMountpoint } from '../store/looked-at.ts';
import { lookedAt, lookedAtDirectory, type StorePaths } from '../store/paths.ts';
import { call } from '../sys/calls.ts';
import { MNT_DETACH } from '../sys/constants.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { nativeRunner, SyscallFailure, systemWords } from '../sys/run.ts';
import { Slots, type Step } from '../sys/step.ts';

/** What is mounted: an image, or a container. */
export interface LookedAt {
  /** `sha256:<hex>` or `<hex>` */
  id: string;
  /** How messages call it: "image localhost/httpd:latest". */
  label: string;
}

/** Is this process root of a user namespace in which it is somebody else outside? */
function isInside(): boolean {
  const [inside, outside] = readFileSync('/proc/self/uid_map', 'latin1').trim().split(/\s+/);
  return process.getuid?.() === 0 && inside === '0' && outside !== '0';
}

/**
 * Throws ERR_TSRUN_UNSHARE with the line to paste, unless this runs in `tsrun unshare`.
 * @param command `tsrun mount`
 * @param words what was given to it
 * @param printsPlace it prints one path and nothing else, which can be gone to
 */
export function requireInside(command: string, words: readonly string[], printsPlace = false): void {
  if (isInside()) return;
  const line = [command, ...words].join(' ');
  const paste = printsPlace ? `tsrun unshare sh -c 'cd $(${line}) && ls'` : `tsrun unshare ${line}`;
  throw tsrunError('ERR_TSRUN_UNSHARE', { command, paste });
}

/** Where something is mounted to be looked at, as this process sees it: the lookedAt() paths. */
export function mountedIn(paths: StorePaths): Set<string> {
  const directory = lookedAtDirectory(paths);
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
  return new Set(points.filter((point) => point.startsWith(`${directory}/`)));
}

/**
 * Mounts a tree unless it is mounted; returns where. Throws ERR_TSRUN_STORE.
 * @param view the steps, run by this very process
 * @param onMounted called when it was not mounted before
 */
export function mountTree(
  paths: StorePaths,
  tree: LookedAt,
  view: (slots: Slots, mountpoint: string) => readonly Step[],
  onMounted: () => void,
): string {
  const mountpoint = lookedAt(paths, tree.id);
  makeDirectories(mountpoint, 0o700);
  if (mountedIn(paths).has(mountpoint)) return mountpoint;
  run(`mount ${tree.label}`, (slots) => view(slots, mountpoint));
  onMounted();
  return mountpoint;
}

/** Unmounts it, if it is mounted; returns whether it was. @param force even while something in it is in use. Throws ERR_TSRUN_STORE. */
export function unmountTree(
  paths: StorePaths,
  tree: LookedAt,
  force: boolean,
  onUnmounted: () => void,
): boolean {
  const mountpoint = lookedAt(paths, tree.id);
  const args = [mountpoint, force ? MNT_DETACH : 0];
  const isMounted = mountedIn(paths).has(mountpoint);
  if (isMounted) {
    run(`unmount ${tree.label}`, () => [call('rootless', 'it has been looked at', 'umount2', args)]);
    onUnmounted();
  }
  removeMountpoint(paths, tree.id);
  return isMounted;
}

function run(doing: string, steps: (slots: Slots) => readonly Step[]): void {
  const slots = new Slots();
  try {
    nativeRunner.run({ slots, steps: steps(slots) });
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    throw tsrunError('ERR_TSRUN_STORE', { doing }, systemWords(error.step, error.errno));
  }
}
