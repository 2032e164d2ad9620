/**
 * Limits (--memory, --cpus, --pids-limit) need a cgroup of the user's. Here one is looked for that the system manager hands to each user,
 * which is cgroup v2; others, of v1 too, are found when a container starts (launch/cgroup/places.ts).
 */
import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('cgroups', 'cgroups');

/** linux/magic.h */
const CGROUP2_SUPER_MAGIC = 0x63677270;

/** The controllers behind tsrun's options. */
const WANTED = ['cpu', 'cpuset', 'io', 'memory', 'pids'];

export function probeCgroups(host: HostView): Finding {
  const systemd = host.stat('/run/systemd/system') !== undefined;
  if (host.statfs('/sys/fs/cgroup')?.magic !== CGROUP2_SUPER_MAGIC)
    return CHECK.degraded({
      detail: host.stat('/sys/fs/cgroup/unified')
        ? 'cgroup v1 with a v2 tree beside it (hybrid)'
        : 'cgroup v1, or none',
      lose: 'limits on memory, processors and processes, unless a cgroup of v1 is yours',
      ...(systemd && { remedy: unifiedRemedy(host) }),
    });
  const directory = delegatedDirectory(host);
  const controllers = host.readText(`${directory}/cgroup.controllers`)?.trim().split(/\s+/) ?? [];
  const writable = host.access(directory, 'write') === undefined;
  const missing = writable ? WANTED.filter((name) => !controllers.includes(name)) : WANTED;
  if (missing.length === 0) return CHECK.ok(`v2, ${controllers.join(' ')}`);
  return CHECK.degraded({
    detail: writable
      ? `v2, without ${missing.join(', ')} for this user`
      : `v2, and ${directory} is not this user’s`,
    lose: `limits that need ${missing.join(', ')}`,
    ...(systemd && { remedy: DELEGATE }),
  });
}

const DELEGATE = [
  'sudo mkdir -p /etc/systemd/system/user@.service.d',
  `printf '[Service]\\nDelegate=${WANTED.join(' ')}\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf`,
  'sudo systemctl daemon-reload   # then log out and in again',
].join('\n');

/** The kernel's command line is kept by grubby on Fedora's family, in /etc/default/grub on Debian's. */
function unifiedRemedy(host: HostView): string {
  const argument = 'systemd.unified_cgroup_hierarchy=1';
  const set = host.which('grubby')
    ? `sudo grubby --update-kernel=ALL --args=${argument}`
    : `sudo sed -i 's/^GRUB_CMDLINE_LINUX="/&${argument} /' /etc/default/grub && sudo update-grub`;
  return `${set}   # then restart the machine`;
}

/** What systemd gives each user; without it, wherever this process is. */
function delegatedDirectory(host: HostView): string {
  const { uid } = host.user;
  const ofUser = `/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service`;
  if (host.stat(ofUser)) return ofUser;
  const own = /^0::(.*)$/m.exec(host.readText('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  return `/sys/fs/cgroup${own === '/' ? '' : own}`;
}
