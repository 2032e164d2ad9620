/** The file systems that every container has, in order (what Podman mounts; runtime-spec config-linux.md "Default Filesystems"). */
import { statSync } from 'node:fs';
import { MOUNT_NAMESPACE } from '../launch/mount-options.ts';
import type { RuntimeMount } from '../spec/runtime.ts';
import type { NamespaceRequest } from './request.ts';

export interface DefaultMountOptions {
  /** bytes of /dev/shm */
  shmSize: number;
  /** The container has a network namespace of its own; sysfs shows that of its mounter. */
  ownNetwork: boolean;
  /** A unified (v2) hierarchy is mounted on /sys/fs/cgroup of the host. */
  cgroup2: boolean;
  privileged: boolean;
  /** /proc is that of the host otherwise: a new one shows a pid namespace to whoever owns it. */
  ownProcesses: boolean;
  ipc: NamespaceRequest;
  /** The mount namespace that has the /dev/shm of the container whose ipc namespace is joined. */
  sharedMemory: string | undefined;
  /** In a single-id namespace group 5 is not mapped, and devpts refuses it. */
  ttyGroup: boolean;
}

export const DEFAULT_SHM_SIZE = 64 << 20;

export function defaultMounts(options: DefaultMountOptions): RuntimeMount[] {
  const sysMode = options.privileged ? 'rw' : 'ro';
  const mounts: RuntimeMount[] = [
    options.ownProcesses
      ? { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] }
      : {
          destination: '/proc',
          type: 'bind',
          source: '/proc',
          options: ['rbind', 'nosuid', 'noexec', 'nodev'],
        },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        ...(options.ttyGroup ? ['gid=5'] : []),
      ],
    },
    ...sharedMemory(options),
    options.ownNetwork
      ? {
          destination: '/sys',
          type: 'sysfs',
          source: 'sysfs',
          options: ['nosuid', 'noexec', 'nodev', sysMode],
        }
      : {
          destination: '/sys',
          type: 'bind',
          source: '/sys',
          options: ['rbind', 'nosuid', 'noexec', 'nodev', 'rro'],
        },
  ];
  if (options.cgroup2 && options.ownNetwork) {
    const flags = ['nosuid', 'noexec', 'nodev', sysMode];
    mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup2', source: 'cgroup', options: flags });
  }
  return mounts;
}

function sharedMemory({ ipc, shmSize, sharedMemory }: DefaultMountOptions): RuntimeMount[] {
  const safe = ['nosuid', 'noexec', 'nodev'];
  if (ipc.kind === 'host') {
    return ['/dev/shm', '/dev/mqueue']
      .filter((path) => statSync(path, { throwIfNoEntry: false }))
      .map((path) => ({ destination: path, type: 'bind', source: path, options: ['rbind', ...safe] }));
  }
  const size = `size=${shmSize}`;
  const queues = { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe };
  if (ipc.kind === 'own' && ipc.word === 'none') return [queues];
  if (sharedMemory !== undefined) {
    const options = ['rbind', ...safe, `${MOUNT_NAMESPACE}=${sharedMemory}`];
    return [queues, { destination: '/dev/shm', type: 'bind', source: '/dev/shm', options }];
  }
  return [
    queues,
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...safe, 'mode=1777', size] },
  ];
}
