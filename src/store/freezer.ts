/**
 * The kernel's freezer: cgroup.freeze and cgroup.events of a cgroup v2 directory (cgroup-v2.rst). They need no controller, so they also
 * work in the v2 tree beside v1 controllers, at /sys/fs/cgroup/unified.
 */
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';

export interface FreezableCgroup {
  directory: string;
}

const TREES = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

/** The path of `pid` in the v2 hierarchy: the line `0::/path` of /proc/PID/cgroup. */
function cgroupOf(pid: number): string | undefined {
  try {
    return /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1];
  } catch {
    return undefined; // it has ended
  }
}

/**
 * The cgroup that holds the container's processes and not its supervisor, if this user may freeze it.
 * @param trees where cgroup v2 may be mounted
 */
export function freezableCgroup(
  init: number,
  supervisor: number,
  trees = TREES,
): FreezableCgroup | undefined {
  const path = cgroupOf(init);
  const above = cgroupOf(supervisor);
  if (path === undefined || above === undefined || path === above || path === '/') return undefined;
  const tree = trees.find((place) => existsSync(`${place}/cgroup.procs`));
  if (tree === undefined) return undefined;
  const directory = `${tree}${path}`;
  try {
    accessSync(`${directory}/cgroup.freeze`, constants.W_OK);
    return { directory };
  } catch {
    return undefined;
  }
}

export function isFrozen(directory: string): boolean {
  try {
    return /^frozen 1$/m.test(readFileSync(`${directory}/cgroup.events`, 'latin1'));
  } catch {
    return false; // the cgroup is gone
  }
}

const LOOK_MS = 5;
const PATIENCE_MS = 5000;

/** Freezes or thaws; comes back when it is so, or is still on the way after some seconds. */
export async function freeze({ directory }: FreezableCgroup, frozen: boolean): Promise<void> {
  writeFileSync(`${directory}/cgroup.freeze`, frozen ? '1' : '0');
  for (const end = Date.now() + PATIENCE_MS; isFrozen(directory) !== frozen && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
