/**
 * Files of /proc and /sys that a container does not see, or only reads (OCI runtime configuration: maskedPaths, readonlyPaths).
 *
 * They belong to the machine and to no namespace. As an ordinary user's container cannot write most of them anyway, this is the
 * second fence; for reading it is the first. The lists are podman's and docker's taken together; a path that the kernel
 * does not have is skipped.
 */

export interface HiddenPath {
  readonly path: string;
  readonly why: string;
}

/** A file is covered by /dev/null, a directory by an empty read-only tmpfs. */
export const MASKED_PATHS: readonly HiddenPath[] = [
  { path: '/proc/acpi', why: 'power and hardware controls of the machine' },
  { path: '/proc/asound', why: 'sound cards, and through their mixers a way between containers' },
  { path: '/proc/interrupts', why: 'timing of interrupts tells what others type and do' },
  { path: '/proc/kcore', why: 'the memory of the kernel' },
  { path: '/proc/keys', why: 'the user’s keys, which belong to no namespace of the container' },
  { path: '/proc/latency_stats', why: 'where the kernel makes other processes wait' },
  { path: '/proc/sched_debug', why: 'names and cgroups of all processes of the machine' },
  { path: '/proc/scsi', why: 'commands to disks (CVE-2017-16539: removal of a device)' },
  { path: '/proc/timer_list', why: 'timers of all processes, with kernel addresses' },
  { path: '/proc/timer_stats', why: 'the same, on kernels before 4.11' },
  { path: '/sys/dev/block', why: 'the machine’s disks' },
  {
    path: '/sys/devices/virtual/powercap',
    why: 'power meters: a side channel on keys (Platypus, CVE-2020-8694)',
  },
  { path: '/sys/firmware', why: 'tables of the firmware, with serial numbers' },
  { path: '/sys/fs/selinux', why: 'the policy, and access decisions about other processes' },
];

/** Bound to themselves and remounted read-only. */
export const READONLY_PATHS: readonly HiddenPath[] = [
  { path: '/proc/bus', why: 'configuration space of PCI devices' },
  { path: '/proc/fs', why: 'knobs of file systems that the machine has mounted' },
  { path: '/proc/irq', why: 'which processor serves which device' },
  { path: '/proc/sys', why: 'kernel parameters, most of them of the whole machine' },
  { path: '/proc/sysrq-trigger', why: 'reboots the machine' },
];

/** Paths that `--security-opt mask=` adds to and `unmask=` removes from: the defaults as the runtime configuration has them. */
export const DEFAULT_MASKED_PATHS: readonly string[] = MASKED_PATHS.map(({ path }) => path);
export const DEFAULT_READONLY_PATHS: readonly string[] = READONLY_PATHS.map(({ path }) => path);
