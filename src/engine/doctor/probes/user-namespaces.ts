/**
 * May this user make user namespaces? Tried for real; settings are read only when the try has failed, and only one that was
 * read and is wrong is blamed. The restriction of Ubuntu (AppArmor) lets the namespace be made but takes its capabilities
 * away, so nothing but a try that also maps the user and makes a mount namespace tells.
 */
import { check, type Finding, type Trouble } from '../finding.ts';
import type { HostView } from '../host-view.ts';
import { readSysctl, sysctlRemedy } from '../sysctl.ts';

const CHECK = check('user-namespaces', 'user namespaces');

export function probeUserNamespaces(host: HostView): Finding {
  const result = host.tryUserNamespace();
  if (result.ok) return CHECK.ok('one was made and used');
  const { detail, remedy } = userNamespaceCause(host) ?? {
    detail: 'no setting that is known to forbid it was found',
  };
  return CHECK.blocked({ detail: `${result.words}; ${detail}`, remedy });
}

/** Why a user namespace could not be made, for an error that has just happened; undefined when every known setting is fine. */
export function userNamespaceCause(host: HostView): Trouble | undefined {
  if (readSysctl(host, 'user.max_user_namespaces') === '0')
    return {
      detail: 'user.max_user_namespaces is 0',
      remedy: sysctlRemedy('user.max_user_namespaces', '15000'),
    };
  if (readSysctl(host, 'kernel.unprivileged_userns_clone') === '0')
    return {
      detail: 'kernel.unprivileged_userns_clone is 0',
      remedy: sysctlRemedy('kernel.unprivileged_userns_clone', '1'),
    };
  if (readSysctl(host, 'kernel.apparmor_restrict_unprivileged_userns') === '1')
    return {
      detail:
        'AppArmor lets only programs with a profile use them (kernel.apparmor_restrict_unprivileged_userns is 1)',
      remedy: appArmorProfile(host.launcher),
    };
  if (isInChroot(host))
    return {
      detail:
        'this is a chroot, in which the kernel makes no user namespaces; enter the tree as a root of its own (pivot_root(2), systemd-nspawn(1))',
    };
  if (/^Seccomp:\s*2$/m.test(host.readText('/proc/self/status') ?? ''))
    return {
      detail: 'this process is under a seccomp filter, as in a container: its engine must allow unshare(2)',
    };
  return undefined;
}

/** user_namespaces(7), EPERM. A root directory that is no mount has no line in mountinfo; a chroot onto a mount is not told from a plain root. */
const isInChroot = (host: HostView): boolean => {
  const mounts = host.readText('/proc/self/mountinfo');
  return mounts !== undefined && !/^(?:\S+ ){4}\/ /m.test(mounts);
};

/**
 * Names the launcher, a script: the profile attaches to it, and with flags=(unconfined) is inherited by what it executes, so by Node and by
 * every container (test/long/virtual-machine.test.ts). A profile for node would unlock every script.
 */
function appArmorProfile(launcher: string): string {
  return [
    "sudo tee /etc/apparmor.d/tsrun <<'EOF'",
    'abi <abi/4.0>,',
    'include <tunables/global>',
    `profile tsrun "${launcher}" flags=(unconfined) {`,
    '  userns,',
    '}',
    'EOF',
    'sudo apparmor_parser -r /etc/apparmor.d/tsrun',
  ].join('\n');
}
