/**
 * /dev: a tmpfs with the six standard device nodes (runtime-spec config-linux.md "Default Devices").
 *
 * Root of a user namespace may not make device nodes (mknod(2): EPERM), so the host's are bind-mounted on empty files.
 */
import { call } from '../sys/calls.ts';
import { AT_FDCWD } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';
import type { InRoot } from './in-root.ts';
import { attach, cloneTree } from './mounts.ts';

export const STANDARD_DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;

const LINKS: readonly (readonly [target: string, path: string])[] = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
  ['/proc/kcore', '/dev/core'],
];

/** Before pivot_root: the host's nodes. After it: files to mount them on, and the usual links. */
export function deviceSteps(
  slots: Slots,
  paths: readonly string[],
): { before: Step[]; after: (inRoot: InRoot) => Step[] } {
  const nodes = paths.map((path) => ({
    path,
    tree: cloneTree(slots, path, `take ${path} of the host`, false),
  }));
  return {
    before: nodes.flatMap(({ tree }) => tree.steps),
    after: (inRoot) => [
      ...nodes.flatMap(({ path, tree }) => [
        ...inRoot.ensureFile(path, `make a place for ${path}`),
        ...attach(inRoot, tree.fd, path, `give the container ${path}`),
      ]),
      ...LINKS.map(([target, path]) =>
        call('container', `programs expect ${path}`, 'symlinkat', [target, AT_FDCWD, path], {
          tolerate: ['EEXIST'],
        }),
      ),
    ],
  };
}
