/** One line of `tsrun ps`: docker's fields and wording. */
import type { ContainerView } from '../engine/container-view.ts';
import { digestHex } from '../spec/digest.ts';
import type { PublishedPort } from '../store/container-record.ts';
import { exitNumber } from '../supervisor/exit-status.ts';
import { ago, durationSince, localTime } from './format/human.ts';
import { labelFields, type Row } from './format/list.ts';

export const PS_HEADINGS = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  RunningFor: 'CREATED',
  CreatedAt: 'CREATED AT',
  State: 'STATE',
  Status: 'STATUS',
  Ports: 'PORTS',
  Names: 'NAMES',
  Size: 'SIZE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Created: 'CREATED',
  Exited: 'EXITED',
  ExitCode: 'EXIT CODE',
  Pid: 'PID',
  Restarts: 'RESTARTS',
  ImageID: 'IMAGE ID',
  AutoRemove: 'AUTO REMOVE',
  CIDFile: 'CID FILE',
  ExposedPorts: 'EXPOSED PORTS',
  StartedAt: 'STARTED AT',
  ExitedAt: 'EXITED AT',
};

const ellipsis = (text: string, length: number): string =>
  [...text].length <= length ? text : `${[...text].slice(0, length - 1).join('')}…`;

/** `Up 3 seconds`, `Exited (137) 5 minutes ago`. @param now milliseconds since 1970 */
export function statusText({ state }: ContainerView, now: number): string {
  const up = state.startedAt === undefined ? '' : durationSince(state.startedAt, now);
  switch (state.phase) {
    case 'created':
      return 'Created';
    case 'running': {
      const health = state.health?.status;
      return `Up ${up}${health ? ` (${health === 'starting' ? 'health: starting' : health})` : ''}`;
    }
    case 'paused':
      return `Up ${up} (Paused)`;
    case 'stopping':
      return `Stopping after ${up}`;
    case 'restarting':
    case 'exited': {
      const code = exitNumber(state.exit) ?? 'unknown';
      const what = state.phase === 'exited' ? 'Exited' : 'Restarting';
      return `${what} (${code})${state.finishedAt === undefined ? '' : ` ${ago(state.finishedAt, now)}`}`;
    }
  }
}

const addressOf = (hostIp: string): string => {
  if (hostIp === '') return '0.0.0.0';
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp;
};

/** Consecutive ports of one address and protocol are one range. */
function portRanges(ports: readonly PublishedPort[]): { first: PublishedPort; count: number }[] {
  const ranges: { first: PublishedPort; count: number }[] = [];
  const sorted = [...ports].sort((a, b) => a.containerPort - b.containerPort || a.hostPort - b.hostPort);
  for (const port of sorted) {
    const found = ranges.find(
      ({ first, count }) =>
        first.hostIp === port.hostIp &&
        first.protocol === port.protocol &&
        first.containerPort + count === port.containerPort &&
        first.hostPort + count === port.hostPort,
    );
    if (found) found.count++;
    else ranges.push({ first: port, count: 1 });
  }
  return ranges;
}

/** `0.0.0.0:8000->80/tcp, 127.0.0.1:9000-9002->90-92/udp` */
export function portsText(ports: readonly PublishedPort[]): string {
  const span = (first: number, count: number): string =>
    count === 1 ? `${first}` : `${first}-${first + count - 1}`;
  return portRanges(ports)
    .map(
      ({ first, count }) =>
        `${addressOf(first.hostIp)}:${span(first.hostPort, count)}->${span(first.containerPort, count)}/${first.protocol}`,
    )
    .join(', ');
}

/** As podman has them: number → protocols. */
function exposedPorts(expose: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [port = '', protocol = ''] of expose.map((each) => each.split('/'))) {
    found[port] = [...(found[port] ?? []), protocol];
  }
  return found;
}

export interface RowOptions {
  noTrunc: boolean;
  /** milliseconds since 1970 */
  now: number;
  /** Of what it has written, when it was asked for. */
  size?: string | undefined;
}

export function psRow(view: ContainerView, { noTrunc, now, size }: RowOptions): Row {
  const { record, state } = view;
  const command = record.command.join(' ');
  const mounts = record.mounts.map((mount) => mount.name ?? mount.source);
  return {
    ID: noTrunc ? view.id : view.id.slice(0, 12),
    Image: record.image,
    Command: `"${noTrunc ? command : ellipsis(command, 20)}"`,
    get CreatedAt() {
      return localTime(record.createdAt);
    },
    RunningFor: ago(record.createdAt, now),
    State: state.phase,
    Status: statusText(view, now),
    Ports: portsText(record.ports),
    Names: view.name,
    ...(size !== undefined && { Size: size }),
    ...labelFields(record.labels),
    Mounts: mounts.map((mount) => (noTrunc ? mount : ellipsis(mount, 15))).join(','),
    LocalVolumes: record.mounts.filter((mount) => mount.type === 'volume').length,
    Networks: record.networkMode ?? 'private',
    // podman's
    Created: record.createdAt,
    Exited: state.phase === 'exited',
    ExitCode: exitNumber(state.exit) ?? 0, // as podman has it: 0 while there is none
    Pid: state.init?.pid ?? 0,
    Restarts: state.restarts,
    ImageID: noTrunc ? digestHex(record.imageId) : digestHex(record.imageId).slice(0, 12),
    AutoRemove: record.autoRemove,
    CIDFile: record.cidfile ?? '',
    ExposedPorts: exposedPorts(record.expose ?? []),
    StartedAt: state.startedAt ?? '',
    ExitedAt: state.finishedAt ?? '',
  };
}
