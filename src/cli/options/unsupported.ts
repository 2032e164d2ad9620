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
/** podman's checks before the checks: docker's start period is what tsrun has for it. */
const STARTUP_CHECKS = Object.fromEntries(
  ['cmd', 'interval', 'retries', 'success', 'timeout'].map((word) => [
    `health-startup-${word}`,
    '--health-start-period TIME --health-start-interval TIME',
  ]),
);
const HEALTH_LOG = Object.fromEntries(
  ['health-log-destination', 'health-max-log-count', 'health-max-log-size'].map((name) => [
    name,
    'the last five checks are in tsrun inspect',
  ]),
);

/** For `run` and `create`. */
export const UNSUPPORTED_CREATE_OPTIONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(limits.map((name) => [name, LIMITS])),
  ...STARTUP_CHECKS,
  ...HEALTH_LOG,
  arch: PLATFORM,
  os: PLATFORM,
  variant: PLATFORM,
  'blkio-weight-device': '',
  chrootdirs: '',
  'cpu-rt-runtime': LIMITS,
  'decryption-key': '',
  'device-cgroup-rule': '',
  'disable-content-trust': '',
  'env-merge': '-e NAME=VALUE',
  gpus: '',
  'group-entry': '',
  'hosts-file': '--add-host NAME:ADDRESS, or -v FILE:/etc/hosts',
  'init-ctr': 'there are no pods yet',
  'init-path': 'tsrun has an init of its own: --init',
  isolation: '',
  'kernel-memory': '',
  link: 'join its network: --network container:NAME',
  hostuser: '',
  passwd: '',
  'passwd-entry': '',
  personality: '',
  pod: 'there are no pods yet',
  'pod-id-file': 'there are no pods yet',
  'rdt-class': '',
  requires: '',
  rmi: 'tsrun rmi IMAGE, when it has ended',
  runtime: '',
  'seccomp-policy': '--security-opt seccomp=FILE',
  secret: '',
  'shm-size-systemd': '',
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
  ...STARTUP_CHECKS,
  ...HEALTH_LOG,
  'blkio-weight-device': '',
  'cpu-rt-runtime': LIMITS,
  'kernel-memory': '',
  ...Object.fromEntries(
    ['env', 'unsetenv', 'ulimit'].map((name) => [name, 'make the container anew: tsrun run --replace …']),
  ),
};
