import { check, type Finding, type Trouble } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('tun', '/dev/net/tun');

export function probeTun(host: HostView): Finding {
  const cause = tunCause(host);
  if (!cause) return CHECK.ok('may be opened');
  return CHECK.degraded({
    ...cause,
    lose: 'containers have --network none or host only, and no published ports',
  });
}

/** Why pasta and slirp4netns cannot make their interface (pasta hangs without a word then); undefined when they can. */
export function tunCause(host: HostView): Trouble | undefined {
  const denied = host.access('/dev/net/tun', 'read-write');
  if (!denied) return undefined;
  if (denied === 'ENOENT') return { detail: '/dev/net/tun is not there', remedy: 'sudo modprobe tun' };
  return { detail: `/dev/net/tun cannot be opened (${denied})`, remedy: 'sudo chmod 0666 /dev/net/tun' };
}
