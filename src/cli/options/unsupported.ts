/** Options of docker and podman that tsrun knows by name and refuses: the name → what to do instead, or ''. */

const LIMITS = 'see `tsrun doctor` for which cgroup controllers are delegated; limits are not set yet';

const limits = [
  ...[
    'm',
    'memory',
    'memory-reservation',
    'memory-swap',
    'memory-swappiness',
    'cpus',
    'cpu-period',
    'cpu-quota',
    'cpu-shares',
    'c',
  ],
  ...[
    'cpuset-cpus',
    'cpuset-mems',
    'pids-limit',
    'oom-kill-disable',
    'oom-score-adj',
    'blkio-weight',
    'cgroup-parent',
  ],
  ...[
    'cgroups',
    'cgroup-conf',
    'device-read-bps',
    'device-write-bps',
    'device-read-iops',
    'device-write-iops',
    'cpu-rt-period',
  ],
];
/** For `run` and `create`. */
export const UNSUPPORTED_CREATE_OPTIONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(limits.map((name) => [name, LIMITS])),
  'blkio-weight-device': '',
  'device-cgroup-rule': '',
  'disable-content-trust': '',
  gpus: '',
  isolation: '',
  'kernel-memory': '',
  link: 'join its network: --network container:NAME',
  pid: '',
  hostuser: '',
  'passwd-entry': '',
  pod: '',
  'preserve-fds': '',
  requires: '',
  rootfs: '',
  runtime: '',
  sdnotify: '',
  secret: '',
  'storage-opt': '',
  subgidname: '',
  subuidname: '',
  systemd: '',
  tz: '-e TZ=NAME',
  'use-api-socket': '',
  'volume-driver': '',
};

/** For `exec`. */
export const UNSUPPORTED_EXEC_OPTIONS: Readonly<Record<string, string>> = {
  'preserve-fds': '',
  cidfile: 'tsrun exec $(cat FILE) …',
  latest: 'tsrun exec $(tsrun ps -lq) …',
  l: 'tsrun exec $(tsrun ps -lq) …',
};
