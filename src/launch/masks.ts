/**
 * Masked and read-only paths: files of /proc and /sys that tell about, or change, the host (runtime-spec config-linux.md).
 *
 * They lie in file systems that these very steps have just mounted, so nobody can have put a link there; the kernel resolves
 * them in the root all the same (CVE-2019-16884, CVE-2025-31133).
 */
import { statSync } from 'node:fs';
import type { RuntimeMount } from '../spec/runtime.ts';
import { close } from '../sys/calls.ts';
import { MOUNT_ATTR_RDONLY } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';
import type { InRoot } from './in-root.ts';
import { attach, cloneTree, type DetachedMount, moveMount, newFilesystem, setAttributes } from './mounts.ts';

/**
 * What a path of /proc or /sys is, read on the host: these file systems have the same global entries wherever they are
 * mounted, so the plan knows which masks are files, which directories, and which this kernel has not.
 */
export type PathKind = (path: string) => 'file' | 'directory' | 'absent';

export const hostPathKind: PathKind = (path) => {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'absent' : stat.isDirectory() ? 'directory' : 'file';
};

/**
 * What the container has at a path of /proc or /sys: below what it has mounted over a part of them (a VOLUME /sys, `-v`), there is what
 * that holds, and often nothing to hide.
 * @param kindOf of the host. @param mounts of the container, the kernel's own among them
 */
export function behindMounts(mounts: readonly RuntimeMount[], kindOf: PathKind): PathKind {
  return (path) => {
    const above = mounts.filter(({ destination }) => path.startsWith(`${destination}/`));
    const nearest = above.reduce<RuntimeMount | undefined>(
      (deepest, mount) => (mount.destination.length >= (deepest?.destination.length ?? 0) ? mount : deepest),
      undefined,
    );
    if (nearest === undefined || KERNELS_OWN.includes(nearest.type ?? '')) return kindOf(path);
    if (nearest.type !== 'bind') return 'absent';
    return kindOf(`${nearest.source}${path.slice(nearest.destination.length)}`);
  };
}

/** Types of file systems that show the same wherever they are mounted. */
const KERNELS_OWN = ['proc', 'sysfs', 'cgroup2'];

const onlyKernelPaths = (path: string): boolean => /^\/(proc|sys)\//.test(path);

/** @returns what to do before pivot_root (open the covers) and after it (cover) */
export function maskSteps(
  slots: Slots,
  paths: readonly string[],
  kindOf: PathKind,
): { before: Step[]; after: (inRoot: InRoot) => Step[] } {
  const covers = paths
    .filter(onlyKernelPaths)
    .filter((path) => kindOf(path) !== 'absent')
    .map((path) => ({ path, cover: coverFor(slots, path, kindOf(path)) }));
  return {
    before: covers.flatMap(({ cover }) => cover.steps),
    after: (inRoot) =>
      covers.flatMap(({ path, cover }) =>
        attach(inRoot, cover.fd, path, `hide ${path}: it tells about the host`),
      ),
  };
}

/** An empty file or directory. Each cover is a mount of its own, made while the host's /dev/null is still in this namespace. */
function coverFor(slots: Slots, path: string, kind: 'file' | 'directory' | 'absent'): DetachedMount {
  if (kind === 'file') return cloneTree(slots, '/dev/null', `an empty file to cover ${path} with`, false);
  const data = [['size', '0'] as const, ['nr_inodes', '2'] as const];
  return newFilesystem(slots, 'tmpfs', `an empty directory to cover ${path} with`, MOUNT_ATTR_RDONLY, data);
}

/** Binds each path over itself, read-only. */
export function readonlySteps(
  slots: Slots,
  inRoot: InRoot,
  paths: readonly string[],
  kindOf: PathKind,
): Step[] {
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
