/** Options of docker and podman that tsrun knows by name and refuses: the name → what to do instead, or ''. */

const LIMITS =
  'not among the limits that tsrun sets: --memory, --cpus, --cpu-shares, --cpuset-cpus, --pids-limit';

const PLATFORM = '--platform OS/ARCHITECTURE/VARIANT';

const limits = [
  'memory-swappiness',
  'oom-kill-disable',
  'blkio-weight',
  'cgroup-conf',
  'device-read-bps',
  'device-write-bps',
  'device-read-iops',
  'device-write-iops',
  'cpu-rt-period',
];
/** For `run` and `create`. */
export const UNSUPPORTED_CREATE_OPTIONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(limits.map((name) => [name, LIMITS])),
  arch: PLATFORM,
  os: PLATFORM,
  variant: PLATFORM,
  'blkio-weight-device': '',
  'device-cgroup-rule': '',
  'disable-content-trust': '',
  gpus: '',
  isolation: '',
  'kernel-memory': '',
  link: 'join its network: --network container:NAME',
  hostuser: '',
  'passwd-entry': '',
  pod: '',
  requires: '',
  runtime: '',
  secret: '',
  'storage-opt': '',
  subgidname: '',
  subuidname: '',
  systemd: '',
  tz: '-e TZ=NAME',
  'use-api-socket': '',
  'volume-driver': '',
};

/** For `update`. */
export const UNSUPPORTED_UPDATE_OPTIONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(limits.map((name) => [name, LIMITS])),
  'blkio-weight-device': '',
  'cpu-rt-runtime': LIMITS,
  'kernel-memory': '',
  ...Object.fromEntries(
    ['env', 'unsetenv', 'ulimit'].map((name) => [name, 'make the container anew: tsrun run --replace …']),
  ),
};
