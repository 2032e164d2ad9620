/**
 * Which namespaces containers are in, who shares them, and what the same process, user and file are called inside and outside
 * (namespaces(7), user_namespaces(7), pid_namespaces(7)). All of it is read from /proc: the user owns the user namespace of his
 * containers, and may therefore look.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { containerFiles } from '../store/paths.ts';
import { type ContainerView, listContainers } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** The names of /proc/PID/ns. */
export const NAMESPACE_TYPES = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'time'] as const;
export type NamespaceName = (typeof NAMESPACE_TYPES)[number];

/** `4026531837`, which is the same for two processes exactly if they share it; undefined when it may not be read, or there is none. */
function inodeOf(pid: number | 'self', type: NamespaceName): string | undefined {
  try {
    return /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${type}`))?.[1];
  } catch {
    return undefined; // it has ended, or this kernel has no such namespaces
  }
}

export interface SharedNamespace {
  type: NamespaceName;
  inode: string;
  /** The one that tsrun itself runs in, which is usually the machine's. */
  ofHost: boolean;
  containers: ContainerView[];
}

/** The namespaces of all running containers, each once, by type. */
export function listNamespaces(engine: Engine): SharedNamespace[] {
  const running = listContainers(engine).containers.filter((view) => view.state.init);
  return NAMESPACE_TYPES.flatMap((type) => {
    const byInode = new Map<string, ContainerView[]>();
    for (const view of running) {
      const inode = inodeOf(view.state.init?.pid ?? 0, type);
      if (inode !== undefined) byInode.set(inode, [...(byInode.get(inode) ?? []), view]);
    }
    const own = inodeOf('self', type);
    return [...byInode].map(([inode, containers]) => ({ type, inode, ofHost: inode === own, containers }));
  });
}

/** A line of /proc/PID/uid_map. */
interface MapLine {
  inside: number;
  outside: number;
  size: number;
}

function readMap(pid: number, file: 'uid_map' | 'gid_map'): MapLine[] {
  const text = readFileSync(`/proc/${pid}/${file}`, 'latin1').trim();
  return text.split('\n').map((line) => {
    const [inside = 0, outside = 0, size = 0] = line.trim().split(/\s+/).map(Number);
    return { inside, outside, size };
  });
}

const toInside = (map: readonly MapLine[], outside: number): number | undefined => {
  const line = map.find((one) => outside >= one.outside && outside < one.outside + one.size);
  return line && line.inside + outside - line.outside;
};

export interface SeenTwice<T> {
  inside: T | undefined;
  outside: T;
}

export interface NamespaceProcess {
  pid: SeenTwice<number>;
  uid: SeenTwice<number>;
  command: string;
}

/** The processes of a pid namespace, in the order of their numbers. */
function processesOf(pidNamespace: string, uids: readonly MapLine[]): NamespaceProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => inodeOf(pid, 'pid') === pidNamespace)
    .flatMap((pid) => {
      const found = describeProcess(pid, uids);
      return found ? [found] : [];
    });
}

function describeProcess(pid: number, uids: readonly MapLine[]): NamespaceProcess | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const inner = /^NSpid:.*?(\d+)$/m.exec(status)?.[1];
    const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0/g, ' ').trim();
    return {
      pid: { inside: inner === undefined ? undefined : Number(inner), outside: pid },
      uid: { inside: toInside(uids, uid), outside: uid },
      command,
    };
  } catch {
    return undefined; // it has ended since the directory was read
  }
}

export interface NamespaceReport {
  namespaces: SharedNamespace[];
  uids: MapLine[];
  gids: MapLine[];
  processes: NamespaceProcess[];
  /** How its files are reached from outside. */
  root: { process: string; changes: string };
}

/** All about one running container. @param pid of its init, on the host */
export function reportNamespaces(engine: Engine, view: ContainerView, pid: number): NamespaceReport {
  const uids = readMap(pid, 'uid_map');
  return {
    namespaces: listNamespaces(engine).filter(({ containers }) =>
      containers.some(({ id }) => id === view.id),
    ),
    uids,
    gids: readMap(pid, 'gid_map'),
    processes: processesOf(inodeOf(pid, 'pid') ?? '', uids),
    root: { process: `/proc/${pid}/root`, changes: containerFiles(engine.paths, view.id).upper },
  };
}
