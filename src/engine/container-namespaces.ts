/**
 * Which namespaces containers are in, who shares them, and what the same process, user and file are called inside and outside
 * (namespaces(7), user_namespaces(7), pid_namespaces(7)). All of it is read from /proc: the user owns the user namespace of his
 * containers, and may therefore look.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type IdMap, toContainer } from '../rootless/id-map.ts';
import { readIdMap } from '../rootless/read-id-map.ts';
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

export interface SeenTwice<T> {
  inside: T | undefined;
  outside: T;
}

export interface NamespaceProcess {
  pid: SeenTwice<number>;
  uid: SeenTwice<number>;
  command: string;
}

/** The processes in the pid namespace of process `init`, by their numbers outside, in the order of these. */
export function pidsBeside(init: number): number[] {
  const namespace = inodeOf(init, 'pid');
  if (namespace === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
    .filter((pid) => inodeOf(pid, 'pid') === namespace);
}

function describeProcess(pid: number, uids: IdMap): NamespaceProcess | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const inner = /^NSpid:.*?(\d+)$/m.exec(status)?.[1];
    const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0/g, ' ').trim();
    return {
      pid: { inside: inner === undefined ? undefined : Number(inner), outside: pid },
      uid: { inside: toContainer(uids, uid), outside: uid },
      command,
    };
  } catch {
    return undefined; // it has ended since the directory was read
  }
}

export interface NamespaceReport {
  namespaces: SharedNamespace[];
  uids: IdMap;
  gids: IdMap;
  processes: NamespaceProcess[];
  /** How its files are reached from outside. */
  root: { process: string; changes: string };
}

/** All about one running container. @param pid of its init, on the host */
export function reportNamespaces(engine: Engine, view: ContainerView, pid: number): NamespaceReport {
  const uids = readIdMap(pid, 'uid_map');
  return {
    namespaces: listNamespaces(engine).filter(({ containers }) =>
      containers.some(({ id }) => id === view.id),
    ),
    uids,
    gids: readIdMap(pid, 'gid_map'),
    processes: pidsBeside(pid).flatMap((one) => describeProcess(one, uids) ?? []),
    root: { process: `/proc/${pid}/root`, changes: containerFiles(engine.paths, view.id).upper },
  };
}
