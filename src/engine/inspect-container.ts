/** `inspect` of a container, under docker's field names. */
import { readFileSync } from 'node:fs';
import { signalName } from '../launch/signals.ts';
import type { EndpointLease } from '../network/bridge-network.ts';
import type { ContainerState } from '../store/container-state.ts';
import { containerFiles } from '../store/paths.ts';
import { exitNumber } from '../supervisor/exit-status.ts';
import { parseConfig } from './config-json.ts';
import { lowersOf, upperOf } from './container-rootfs.ts';
import type { ContainerView } from './container-view.ts';
import { inspectHealth, inspectHealthCheck } from './inspect-health.ts';
import { inspectHostConfig } from './inspect-host-config.ts';
import { inspectEndpoint } from './inspect-network.ts';
import { logFile } from './log-spec.ts';
import type { Engine } from './open-engine.ts';
import { readEndpoints } from './read-endpoints.ts';

const NEVER = '0001-01-01T00:00:00Z';

/** Docker's number for an exit status: 128+n for a signal; null when it is unknown. */
export const exitCode = ({ exit }: ContainerState): number | null =>
  exit === undefined ? 0 : (exitNumber(exit) ?? null);

function bindings(view: ContainerView): Record<string, { HostIp: string; HostPort: string }[]> {
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of view.record.ports) {
    const key = `${containerPort}/${protocol}`;
    ports[key] = [...(ports[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }];
  }
  return ports;
}

/**
 * What it has of its bridge networks: of the first as docker has always shown it, too. Of another driver's, what is to be seen in it. Empty
 * when it does not run.
 */
function networkSettings(engine: Engine, { id, state, record }: ContainerView): Record<string, unknown> {
  const leases = state.init ? readEndpoints(engine, id) : [];
  const [first, ...others] = leases.map((lease) => [lease.network.name, endpointSettings(lease)] as const);
  if (first) return { ...first[1], Networks: Object.fromEntries([first, ...others]) };
  const endpoint = inspectEndpoint(state.init?.pid);
  // One that was taken off its last bridge is on none; what shares another's namespace has no network of its own, as docker shows it.
  const isOwn = !/^(bridge$|container:|ns:)/.test(record.network);
  return { ...endpoint, Networks: state.init && isOwn ? { [record.network]: endpoint } : {} };
}

const endpointSettings = ({ network, ipv4, ipv6, mac, names }: EndpointLease): Record<string, unknown> => ({
  NetworkID: network.id,
  Aliases: names.slice(1),
  Gateway: network.ipv4?.gateway ?? '',
  IPAddress: ipv4 ?? '',
  IPPrefixLen: network.ipv4?.prefix ?? 0,
  IPv6Gateway: network.ipv6?.gateway ?? '',
  GlobalIPv6Address: ipv6 ?? '',
  GlobalIPv6PrefixLen: network.ipv6?.prefix ?? 0,
  MacAddress: mac,
});

/** @returns a plain object, ready for JSON and templates */
export function inspectContainer(engine: Engine, view: ContainerView): Record<string, unknown> {
  const { record, state } = view;
  const files = containerFiles(engine.paths, view.id);
  const config = parseConfig(readFileSync(files.config, 'utf8'));
  const ports = bindings(view);
  return {
    Id: view.id,
    Created: record.createdAt,
    Path: config.process.args[0] ?? '',
    Args: config.process.args.slice(1),
    State: {
      Status: state.phase,
      Running: ['running', 'paused', 'restarting'].includes(state.phase),
      Paused: state.phase === 'paused',
      Restarting: state.phase === 'restarting',
      OOMKilled: state.oomKilled,
      Dead: false,
      Pid: state.init?.pid ?? 0,
      SupervisorPid: state.supervisor?.pid ?? 0,
      // podman's name for it
      ConmonPid: state.supervisor?.pid ?? 0,
      ExitCode: exitCode(state),
      ExitKnown: state.exit?.kind !== 'unknown',
      Error: '',
      StartedAt: state.startedAt ?? NEVER,
      FinishedAt: state.finishedAt ?? NEVER,
      ...(record.health && { Health: inspectHealth(files.directory, state) }),
    },
    Image: record.imageId,
    ImageName: record.image,
    ImageDigest: record.imageDigest,
    Rootfs: record.rootfs?.path ?? '',
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    PidFile: record.pidfile ?? '',
    ConmonPidFile: record.conmonPidfile ?? '',
    LogPath: logFile(engine.paths, record) ?? '',
    Name: record.name,
    RestartCount: state.restarts,
    Driver: record.rootfsDriver,
    Platform: 'linux',
    OCIConfigPath: files.config,
    EffectiveCaps: config.process.capabilities?.effective ?? [],
    BoundingCaps: config.process.capabilities?.bounding ?? [],
    GraphDriver: {
      Name: record.rootfsDriver,
      Data: {
        // As overlay has it: the top layer first.
        LowerDir: lowersOf(engine.paths, record).join(':'),
        MergedDir: files.mountpoint,
        UpperDir: upperOf(engine.paths, record),
        WorkDir: files.work,
      },
    },
    Mounts: record.mounts.map((mount) => ({
      Type: mount.type,
      Name: mount.name ?? '',
      Driver: mount.type === 'volume' ? 'local' : '',
      Source: mount.source,
      Destination: mount.destination,
      Mode: mount.options.join(','),
      RW: !mount.options.includes('ro'),
      Propagation: mount.options.find((option) => /^r?(?:private|shared|slave)$/.test(option)) ?? 'rprivate',
    })),
    Config: {
      Hostname: record.hostname,
      Domainname: config.domainname ?? '',
      User: record.user,
      Tty: record.tty,
      OpenStdin: record.openStdin,
      StdinOnce: record.openStdin,
      Env: record.env,
      Cmd: record.command.slice(record.entrypoint.length),
      Entrypoint: record.entrypoint,
      Image: record.image,
      Volumes: Object.fromEntries(
        record.mounts.filter(({ anonymous }) => anonymous).map(({ destination }) => [destination, {}]),
      ),
      WorkingDir: record.workdir,
      Labels: record.labels,
      StopSignal: signalName(record.stopSignal),
      StopTimeout: record.stopTimeout,
      sdNotifyMode: record.sdnotify ?? 'container',
      ...(record.timeout !== undefined && { Timeout: record.timeout }),
      ...(record.health && { Healthcheck: inspectHealthCheck(record.health) }),
      ExposedPorts: Object.fromEntries(
        [...(record.expose ?? []), ...Object.keys(ports)].map((key) => [key, {}]),
      ),
    },
    HostConfig: inspectHostConfig(record, config, ports),
    NetworkSettings: {
      Ports: ports,
      Driver: record.network,
      ...networkSettings(engine, view),
      SandboxKey: state.init ? `/proc/${state.init.pid}/ns/net` : '',
      // Whether a service sees its clients' own addresses; said where ports are published.
      ...(record.keepsClientAddresses !== undefined && { KeepsClientAddresses: record.keepsClientAddresses }),
    },
  };
}
