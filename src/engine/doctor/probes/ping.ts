import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';
import { readSysctl, sysctlRemedy } from '../sysctl.ts';

const CHECK = check('ping', 'ping from containers');
const SYSCTL = 'net.ipv4.ping_group_range';

/** pasta and slirp4netns send echo requests through ping sockets (icmp(7)), which the kernel gives to a range of groups; `1 0` is nobody. */
export function probePing(host: HostView): Finding {
  const range = readSysctl(host, SYSCTL);
  const [low = 1, high = 0] = (range ?? '').split(/\s+/).map(Number);
  if (range && low <= host.user.gid && host.user.gid <= high) return CHECK.ok(`groups ${low} to ${high}`);
  return CHECK.degraded({
    detail: range
      ? `${SYSCTL} is ${low} ${high}, without group ${host.user.gid}`
      : `${SYSCTL} cannot be read`,
    lose: 'ping to the outside from within containers',
    ...(range && { remedy: sysctlRemedy(SYSCTL, '0 2147483647') }),
  });
}
