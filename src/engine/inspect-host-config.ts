/** `HostConfig` of `inspect`: what the user asked for, under docker's names; where it is not recorded, read back from the runtime configuration. */
import { applyCapAddDrop, CAPABILITIES, DEFAULT_CAPABILITIES } from '../launch/capabilities.ts';
import type { RuntimeConfig, ShareableNamespace } from '../spec/runtime.ts';
import type { ContainerRecord, RecordedMount } from '../store/container-record.ts';
import { inspectLimits } from './inspect-limits.ts';

/** Docker's names of --log-opt. */
const logConfig = ({
  logLimits: { maxBytes, files } = {},
  logPath,
  logTag,
}: ContainerRecord): Record<string, string> => ({
  ...(logPath !== undefined && { path: logPath }),
  ...(logTag !== undefined && { tag: logTag }),
  ...(maxBytes !== undefined && { 'max-size': maxBytes === 0 ? '-1' : String(maxBytes) }),
  ...(files !== undefined && { 'max-file': String(files) }),
});

/** `source:destination:options`, the source of a volume being its name. */
function bind({ type, name, source, destination, options }: RecordedMount): string {
  const words = [type === 'volume' ? (name ?? source) : source, destination, options.join(',')];
  return words.filter((word) => word !== '').join(':');
}

/** What makes the container's capabilities of the usual ones. */
function capabilities({ process }: RuntimeConfig): { CapAdd: string[]; CapDrop: string[] } {
  const held = process.capabilities?.bounding ?? [];
  const usual: readonly string[] = applyCapAddDrop([], [], DEFAULT_CAPABILITIES);
  return {
    CapAdd: held.filter((name) => !usual.includes(name)),
    CapDrop: usual.filter((name) => !held.includes(name)),
  };
}

/** `private`, `host`, or whose namespace it is. */
function mode(
  { namespaces = {} }: ContainerRecord,
  { linux }: RuntimeConfig,
  type: ShareableNamespace,
): string {
  const { container, path } = namespaces[type] ?? {};
  if (container !== undefined) return `container:${container}`;
  if (path !== undefined) return `ns:${path}`;
  const own = linux.namespaces.find((namespace) => namespace.type === type);
  return own ? 'private' : 'host';
}

const sizeOfShm = ({ mounts }: RuntimeConfig): number => {
  const options = mounts.find(
    ({ destination, type }) => destination === '/dev/shm' && type === 'tmpfs',
  )?.options;
  return Number(options?.find((option) => /^size=\d+$/.test(option))?.slice('size='.length) ?? 0);
};

/** @param ports as docker has them in PortBindings. */
export function inspectHostConfig(
  record: ContainerRecord,
  config: RuntimeConfig,
  ports: Record<string, unknown>,
): Record<string, unknown> {
  const { process, linux } = config;
  return {
    Annotations: config.annotations ?? {},
    AutoRemove: record.autoRemove,
    Binds: record.mounts
      .filter(({ type, anonymous }) => (type === 'bind' || type === 'volume') && !anonymous)
      .map(bind),
    ...(record.privileged ? { CapAdd: [...CAPABILITIES], CapDrop: [] } : capabilities(config)),
    ContainerIDFile: record.cidfile ?? '',
    CgroupnsMode: mode(record, config, 'cgroup'),
    Devices: (record.devices ?? []).map(({ source, destination }) => ({
      PathOnHost: source,
      PathInContainer: destination,
      CgroupPermissions: 'rwm',
    })),
    Dns: record.dns.dns,
    DnsOptions: record.dns.dnsOption,
    DnsSearch: record.dns.dnsSearch,
    ExtraHosts: record.addHosts,
    Init: record.init,
    IpcMode: mode(record, config, 'ipc'),
    LogConfig: { Type: record.logDriver, Config: logConfig(record) },
    MaskedPaths: linux.maskedPaths ?? [],
    NetworkMode: record.networkMode ?? 'private',
    PidMode: mode(record, config, 'pid'),
    PortBindings: ports,
    Privileged: record.privileged,
    ReadonlyPaths: linux.readonlyPaths ?? [],
    ReadonlyRootfs: record.readOnly,
    RestartPolicy: {
      Name: record.restart?.name ?? 'no',
      MaximumRetryCount: record.restart?.maximumRetryCount ?? 0,
    },
    SecurityOpt: record.securityOpt ?? [],
    ShmSize: sizeOfShm(config),
    Sysctls: linux.sysctl ?? {},
    Tmpfs: Object.fromEntries(
      record.mounts
        .filter(({ type }) => type === 'tmpfs')
        .map(({ destination, options }) => [destination, options.join(',')]),
    ),
    Ulimits: (process.rlimits ?? []).map(({ type, soft, hard }) => ({ Name: type, Soft: soft, Hard: hard })),
    UTSMode: mode(record, config, 'uts'),
    UsernsMode: record.userns ?? 'host',
    ...inspectLimits(record, config),
  };
}
