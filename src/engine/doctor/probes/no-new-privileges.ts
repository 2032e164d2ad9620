import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('no-new-privileges', 'no_new_privs');

/** With PR_SET_NO_NEW_PRIVS (NoNewPrivileges= of systemd units, sandboxes) the setuid bit of newuidmap has no effect. */
export function probeNoNewPrivileges(host: HostView): Finding {
  const value = /^NoNewPrivs:\s*(\d)/m.exec(host.readText('/proc/self/status') ?? '')?.[1];
  if (value !== '1') return CHECK.ok('off');
  return CHECK.degraded({
    detail: 'this process has no_new_privs set, so newuidmap and newgidmap cannot gain privileges',
    lose: 'containers have one user id, unless another tsrun container of yours is already running',
    remedy: 'systemctl --user edit UNIT   # for a unit: [Service] NoNewPrivileges=no',
  });
}
