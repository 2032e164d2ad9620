import { installRemedy } from '../distribution.ts';
import { check, type Finding } from '../finding.ts';
import { helperVersion } from '../helper-version.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('network-helper', 'pasta or slirp4netns');

/** One of the two carries a container's packets; pasta is the faster one, and reads addresses from the host. */
export function probeNetworkHelper(host: HostView): Finding {
  const present = ['pasta', 'slirp4netns'].filter((name) => host.which(name));
  if (present.length > 0)
    return CHECK.ok(present.map((name) => `${name} ${helperVersion(host, name)}`).join(', '));
  return CHECK.degraded({
    detail: 'neither is installed',
    lose: 'containers have --network none or host only, and no published ports',
    remedy: installRemedy(host, {
      debian: 'passt',
      fedora: 'passt',
      arch: 'passt',
      alpine: 'passt',
      suse: 'passt',
    }),
  });
}
