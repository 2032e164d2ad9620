/**
 * Masked and read-only paths: files of /proc and /sys that tell about, or change, the host (runtime-spec config-linux.md).
 *
 * They lie in file systems that these very steps have just mounted, so nobody can have put a link there; the kernel resolves
 * them in the root all the same (CVE-2019-16884, CVE-2025-31133).
 */
import { statSync } from 'node:fs';
import { call, close } from '../sys/calls.ts';
import { AT_FDCWD, MOUNT_ATTR_RDONLY, O_CLOEXEC, O_PATH } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';
import type { InRoot } from './in-root.ts';
import { cloneTree, type DetachedMount, moveMount, newFilesystem, setAttributes } from './mounts.ts';

/**
 * What a path of /proc or /sys is, read on the host: these file systems have the same global entries wherever they are
 * mounted, so the plan knows which masks are files, which directories, and which this kernel has not.
 */
export type PathKind = (path: string) => 'file' | 'directory' | 'absent';

export const hostPathKind: PathKind = (path) => {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'absent' : stat.isDirectory() ? 'directory' : 'file';
};

const onlyKernelPaths = (path: string): boolean => /^\/(proc|sys)\//.test(path);

/** @returns what to do before pivot_root (open the covers) and after it (cover) */
export function maskSteps(
  slots: Slots,
  paths: readonly string[],
  kindOf: PathKind,
): { before: Step[]; after: (inRoot: InRoot) => Step[] } {
  const present = paths.filter(onlyKernelPaths).filter((path) => kindOf(path) !== 'absent');
  if (present.length === 0) return { before: [], after: () => [] };
  const nothing = slots.new('/dev/null');
  const empty = newFilesystem(slots, 'tmpfs', 'an empty directory to cover others with', MOUNT_ATTR_RDONLY, [
    ['size', '0'],
    ['nr_inodes', '2'],
  ]);
  const cover = (inRoot: InRoot, path: string): Step[] => {
    const from = kindOf(path) === 'directory' ? empty.fd : nothing;
    const copy: DetachedMount = cloneTree(slots, from, `a cover for ${path}`, false);
    const target = inRoot.open(path, `find ${path}`);
    return [
      ...copy.steps,
      ...target.steps,
      moveMount(copy.fd, target.fd, `hide ${path}: it tells about the host`),
      close('container', 'covered', target.fd),
      close('container', 'covered', copy.fd),
    ];
  };
  return {
    before: [
      call('container', 'an empty file to cover others with', 'openat', [AT_FDCWD, '/dev/null', O_PATH | O_CLOEXEC, 0], {
        result: nothing,
      }),
      ...empty.steps,
    ],
    after: (inRoot) => present.flatMap((path) => cover(inRoot, path)),
  };
}

/** Binds each path over itself, read-only. */
export function readonlySteps(slots: Slots, inRoot: InRoot, paths: readonly string[], kindOf: PathKind): Step[] {
  return paths
    .filter(onlyKernelPaths)
    .filter((path) => kindOf(path) !== 'absent')
    .flatMap((path) => {
      const target = inRoot.open(path, `find ${path}`);
      const copy = cloneTree(slots, target.fd, `a copy of ${path}`, true);
      return [
        ...target.steps,
        ...copy.steps,
        setAttributes(copy.fd, `${path} changes the host: read-only`, MOUNT_ATTR_RDONLY, 0, true),
        moveMount(copy.fd, target.fd, `cover ${path} with its read-only copy`),
        close('container', 'covered', target.fd),
        close('container', 'covered', copy.fd),
      ];
    });
}
