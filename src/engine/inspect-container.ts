/** `inspect` of a container, under docker's field names. */
import { readFileSync } from 'node:fs';
import { signalName } from '../launch/signals.ts';
import type { EndpointLease } from '../network/bridge-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ContainerState } from '../store/container-state.ts';
import { containerFiles } from '../store/paths.ts';
import { parseConfig } from './config-json.ts';
import type { ContainerView } from './container-view.ts';
import { inspectHealth, inspectHealthCheck } from './inspect-health.ts';
import type { Engine } from './open-engine.ts';
import { readEndpoints } from './read-endpoints.ts';

const NEVER = '0001-01-01T00:00:00Z';

/** Docker's number for an exit status: 128+n for a signal; null when it is unknown. */
export function exitCode(state: ContainerState): number | null {
  const { exit } = state;
  if (!exit) return 0;
  if (exit.kind === 'exited') return exit.code;
  return exit.kind === 'signaled' ? 128 + exit.signal : null;
}

function bindings(view: ContainerView): Record<string, { HostIp: string; HostPort: string }[]> {
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of view.record.ports) {
    const key = `${containerPort}/${protocol}`;
    ports[key] = [...(ports[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }];
  }
  return ports;
}

/** What it has of its bridge networks: of the first as docker has always shown it, too. Empty when it does not run. */
function networkSettings(engine: Engine, { id, state }: ContainerView): Record<string, unknown> {
  const leases = state.phase === 'running' || state.phase === 'paused' ? readEndpoints(engine, id) : [];
  const settings = leases.map((lease) => [lease.network.name, endpointSettings(lease)] as const);
  return { ...(settings[0]?.[1] ?? NO_ENDPOINT), Networks: Object.fromEntries(settings) };
}

const NO_ENDPOINT = { Gateway: '', IPAddress: '', IPPrefixLen: 0, MacAddress: '' };

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
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: files.log,
    Name: record.name,
    RestartCount: state.restarts,
    Driver: record.rootfsDriver,
    Platform: 'linux',
    GraphDriver: { Name: record.rootfsDriver, Data: { UpperDir: files.upper, WorkDir: files.work } },
    Mounts: record.mounts.map((mount) => ({
      Type: mount.type,
      ...(mount.name !== undefined && { Name: mount.name }),
      Source: mount.source,
      Destination: mount.destination,
      Mode: mount.options.join(','),
      RW: !mount.options.includes('ro'),
      Propagation: 'rprivate',
    })),
    Config: {
      Hostname: record.hostname,
      User: record.user,
      Tty: record.tty,
      OpenStdin: record.openStdin,
      Env: record.env,
      Cmd: record.command.slice(record.entrypoint.length),
      Entrypoint: record.entrypoint,
      Image: record.image,
      WorkingDir: record.workdir,
      Labels: record.labels,
      StopSignal: signalName(record.stopSignal),
      StopTimeout: record.stopTimeout,
      ...(record.timeout !== undefined && { Timeout: record.timeout }),
      ...(record.health && { Healthcheck: inspectHealthCheck(record.health) }),
      ExposedPorts: Object.fromEntries(Object.keys(ports).map((key) => [key, {}])),
    },
    HostConfig: {
      Annotations: config.annotations ?? {},
      AutoRemove: record.autoRemove,
      RestartPolicy: {
        Name: record.restart?.name ?? 'no',
        MaximumRetryCount: record.restart?.maximumRetryCount ?? 0,
      },
      NetworkMode: record.networkMode ?? 'private',
      PortBindings: ports,
      Privileged: record.privileged,
      ReadonlyRootfs: record.readOnly,
      Init: record.init,
      ExtraHosts: record.addHosts,
      Dns: record.dns.dns,
      DnsSearch: record.dns.dnsSearch,
      DnsOptions: record.dns.dnsOption,
      LogConfig: { Type: record.logDriver, Config: logConfig(record.logLimits) },
    },
    NetworkSettings: {
      Ports: ports,
      Driver: record.network,
      ...networkSettings(engine, view),
      // Whether a service sees its clients' own addresses; not said where a helper publishes the ports.
      ...(record.keepsClientAddresses !== undefined && { KeepsClientAddresses: record.keepsClientAddresses }),
    },
  };
}

/** Docker's names of --log-opt. */
const logConfig = ({ maxBytes, files }: ContainerRecord['logLimits'] = {}): Record<string, string> => ({
  ...(maxBytes !== undefined && { 'max-size': maxBytes === 0 ? '-1' : String(maxBytes) }),
  ...(files !== undefined && { 'max-file': String(files) }),
});
