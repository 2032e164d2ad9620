/** `tsrun doctor`: all checks, one report. */
import type { Finding, FindingStatus } from './finding.ts';
import type { HostView } from './host-view.ts';
import { probeCgroups } from './probes/cgroups.ts';
import { probeExtraCertificates } from './probes/extra-certificates.ts';
import { probeFreeSpace } from './probes/free-space.ts';
import { probeIdMapHelpers } from './probes/id-map-helpers.ts';
import { probeKernel } from './probes/kernel.ts';
import { probeLinger } from './probes/linger.ts';
import { probeLowPorts } from './probes/low-ports.ts';
import { probeNetworkHelper } from './probes/network-helper.ts';
import { probeNoNewPrivileges } from './probes/no-new-privileges.ts';
import { probeNode } from './probes/node.ts';
import { probeOverlay } from './probes/overlay.ts';
import { probePing } from './probes/ping.ts';
import { probeRuntimeDirectory } from './probes/runtime-directory.ts';
import { probeStore } from './probes/store.ts';
import { probeSubordinateIds } from './probes/subordinate-ids.ts';
import { probeTun } from './probes/tun.ts';
import { probeUser } from './probes/user.ts';
import { probeUserNamespaces } from './probes/user-namespaces.ts';

export type Probe = (host: HostView) => Finding;

/** In the order in which a start needs them. */
export const PROBES: readonly Probe[] = [
  probeUser,
  probeKernel,
  probeUserNamespaces,
  probeIdMapHelpers,
  probeNoNewPrivileges,
  probeSubordinateIds,
  probeStore,
  probeFreeSpace,
  probeOverlay,
  probeRuntimeDirectory,
  probeNetworkHelper,
  probeTun,
  probeLowPorts,
  probePing,
  probeCgroups,
  probeLinger,
  probeNode,
  probeExtraCertificates,
];

/** docs/doctor.schema.json describes it. */
export interface DoctorReport {
  readonly schemaVersion: 1;
  /** The worst of all findings. */
  readonly status: FindingStatus;
  /** 0 ok, 1 degraded, 2 blocked. */
  readonly exitCode: 0 | 1 | 2;
  readonly findings: readonly Finding[];
}

const EXIT_CODE = { ok: 0, degraded: 1, blocked: 2 } as const;

export function runDoctor(host: HostView): DoctorReport {
  const findings = PROBES.map((probe) => probe(host));
  const has = (status: FindingStatus): boolean => findings.some((finding) => finding.status === status);
  const status = has('blocked') ? 'blocked' : has('degraded') ? 'degraded' : 'ok';
  return { schemaVersion: 1, status, exitCode: EXIT_CODE[status], findings };
}
