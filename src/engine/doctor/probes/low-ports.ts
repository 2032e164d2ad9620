import { check, type Finding, type Trouble } from '../finding.ts';
import type { HostView } from '../host-view.ts';
import { readSysctl, sysctlRemedy } from '../sysctl.ts';

const CHECK = check('low-ports', 'low ports');
const SYSCTL = 'net.ipv4.ip_unprivileged_port_start';

export function probeLowPorts(host: HostView): Finding {
  const cause = lowPortCause(host, 80);
  if (!cause) return CHECK.ok(`from ${firstPort(host)} on`);
  return CHECK.degraded({ ...cause, lose: `-p 80:80; use -p 8080:80` });
}

/** Why this user may not listen on `port`, for an error that has just happened or is about to; undefined when that is not why. */
export function lowPortCause(host: HostView, port: number): Trouble | undefined {
  const first = firstPort(host);
  if (host.user.uid === 0 || port >= first) return undefined;
  return {
    detail: `ports below ${first} are the administrator’s (${SYSCTL})`,
    remedy: sysctlRemedy(SYSCTL, String(port)),
  };
}

/** The kernel's default where the parameter is not there (before 4.11). */
function firstPort(host: HostView): number {
  const value = Number(readSysctl(host, SYSCTL) ?? '');
  return Number.isInteger(value) && readSysctl(host, SYSCTL) ? value : 1024;
}
