import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('linger', 'containers after logout');

/** logind removes /run/user/UID, and may kill what is left, when the last session ends; unless the user lingers. */
export function probeLinger(host: HostView): Finding {
  if (!host.stat('/run/systemd/system')) return CHECK.ok('no logind here that would end them');
  if (host.stat(`/var/lib/systemd/linger/${host.user.name}`)) return CHECK.ok('lingering is on');
  return CHECK.degraded({
    detail: `lingering is off for ${host.user.name}`,
    lose: 'detached containers may end when you log out',
    remedy: `loginctl enable-linger ${host.user.name}`,
  });
}
