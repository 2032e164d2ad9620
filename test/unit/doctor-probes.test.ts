/** AC-1.1, AC-6.2: what is taken away is named with its remedy, and what is fine is never blamed. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  idMapHelperCause,
  lowPortCause,
  storeCause,
  tunCause,
  userNamespaceCause,
} from '../../src/engine/doctor/causes.ts';
import type { Finding } from '../../src/engine/doctor/finding.ts';
import { runDoctor } from '../../src/engine/doctor/run-doctor.ts';
import { type FakeHost, fakeHost, USER_CGROUP } from './support/fake-host.ts';

/** The findings that are not ok after `change`. */
function troubles(change: (host: FakeHost) => void): Finding[] {
  const host = fakeHost();
  change(host);
  return runDoctor(host).findings.filter((finding) => finding.status !== 'ok');
}

const drop = (record: object, key: string) => Reflect.deleteProperty(record, key);

interface Absence {
  what: string;
  change: (host: FakeHost) => void;
  id: string;
  status?: 'blocked';
  detail: string;
  /** A piece of the remedy; undefined: there is none to give. */
  remedy: string | undefined;
}

const refused = { ok: false, words: 'unshare: unshare failed: Operation not permitted' } as const;

const ABSENCES: Absence[] = [
  {
    what: 'being an ordinary user',
    change: (h) => {
      h.user = { name: 'root', uid: 0, gid: 0 };
      h.stats['/run/user/1001'] = { kind: 'directory', mode: 0o700, uid: 0, gid: 0 };
      h.stats['/var/lib/systemd/linger/root'] = { kind: 'file', mode: 0o644, uid: 0, gid: 0 };
      h.files['/sys/fs/cgroup/user.slice/cgroup.controllers'] = 'cpuset cpu io memory pids';
    },
    id: 'user',
    status: 'blocked',
    detail: 'this is root',
    remedy: 'su - NAME',
  },
  {
    what: 'a kernel with mount_setattr',
    change: (h) => (h.kernelRelease = '5.11.22-generic'),
    id: 'kernel',
    status: 'blocked',
    detail: 'Linux 5.11.22-generic; the launch needs mount_setattr(2), which came with 5.12',
    remedy: undefined,
  },
  {
    what: 'a root directory that is a mount',
    change: (h) => {
      h.userNamespace = refused;
      h.files['/proc/self/mountinfo'] = '64 23 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw\n';
    },
    id: 'user-namespaces',
    status: 'blocked',
    detail: 'this is a chroot',
    remedy: undefined,
  },
  {
    what: 'user namespaces, by max_user_namespaces',
    change: (h) => {
      h.userNamespace = refused;
      h.files['/proc/sys/user/max_user_namespaces'] = '0\n';
    },
    id: 'user-namespaces',
    status: 'blocked',
    detail: 'Operation not permitted; user.max_user_namespaces is 0',
    remedy: "echo 'user.max_user_namespaces=15000' | sudo tee -a",
  },
  {
    what: 'user namespaces, by Debian’s switch',
    change: (h) => {
      h.userNamespace = refused;
      h.files['/proc/sys/kernel/unprivileged_userns_clone'] = '0\n';
    },
    id: 'user-namespaces',
    status: 'blocked',
    detail: 'kernel.unprivileged_userns_clone is 0',
    remedy: 'kernel.unprivileged_userns_clone=1',
  },
  {
    what: 'user namespaces, by AppArmor: the profile names the static binary and not node',
    change: (h) => {
      h.userNamespace = refused;
      h.files['/proc/sys/kernel/apparmor_restrict_unprivileged_userns'] = '1\n';
    },
    id: 'user-namespaces',
    status: 'blocked',
    detail: 'kernel.apparmor_restrict_unprivileged_userns is 1',
    remedy: 'profile tsrun "/usr/lib/tsrun/dist/bin/tsrun" flags=(unconfined) {',
  },
  {
    what: 'user namespaces, by a seccomp filter',
    change: (h) => {
      h.userNamespace = refused;
      h.files['/proc/self/status'] = 'NoNewPrivs:\t0\nSeccomp:\t2\n';
    },
    id: 'user-namespaces',
    status: 'blocked',
    detail: 'under a seccomp filter',
    remedy: undefined,
  },
  {
    what: 'user namespaces, for no known reason',
    change: (h) => (h.userNamespace = refused),
    id: 'user-namespaces',
    status: 'blocked',
    detail: 'unshare failed: Operation not permitted; no setting that is known to forbid it was found',
    remedy: undefined,
  },
  {
    what: 'newuidmap',
    change: (h) => drop(h.commands, 'newuidmap'),
    id: 'id-map-helpers',
    detail: 'newuidmap is not installed',
    remedy: 'sudo apt-get install -y uidmap',
  },
  {
    what: 'newgidmap, on Fedora',
    change: (h) => {
      drop(h.commands, 'newgidmap');
      h.files['/etc/os-release'] = 'ID="almalinux"\nID_LIKE="rhel centos fedora"\n';
    },
    id: 'id-map-helpers',
    detail: 'newgidmap is not installed',
    remedy: 'sudo dnf install -y shadow-utils',
  },
  {
    what: 'the setuid bit of newuidmap',
    change: (h) => (h.stats['/usr/bin/newuidmap'] = { kind: 'file', mode: 0o755, uid: 0, gid: 0 }),
    id: 'id-map-helpers',
    detail: '/usr/bin/newuidmap has neither the setuid bit nor cap_setuid',
    remedy: 'sudo chown root /usr/bin/newuidmap && sudo chmod u+s /usr/bin/newuidmap',
  },
  {
    what: 'root as the owner of newgidmap, and getcap',
    change: (h) => {
      h.stats['/usr/bin/newgidmap'] = { kind: 'file', mode: 0o4755, uid: 1001, gid: 0 };
      h.capabilities['/usr/bin/newgidmap'] = undefined;
    },
    id: 'id-map-helpers',
    detail: 'its file capabilities cannot be read (getcap is missing)',
    remedy: 'sudo chown root /usr/bin/newgidmap',
  },
  {
    what: 'suid on the file system of newuidmap',
    change: (h) =>
      (h.files['/proc/self/mountinfo'] += '23 22 8:2 / /usr rw,nosuid,relatime - ext4 /dev/sda2 rw\n'),
    id: 'id-map-helpers',
    detail: 'mounted nosuid',
    remedy: undefined,
  },
  {
    what: 'new privileges',
    change: (h) => (h.files['/proc/self/status'] = 'NoNewPrivs:\t1\nSeccomp:\t0\n'),
    id: 'no-new-privileges',
    detail: 'no_new_privs',
    remedy: 'NoNewPrivileges=no',
  },
  {
    what: 'subordinate uids',
    change: (h) => (h.files['/etc/subuid'] = 'bob:300000:65536\n'),
    id: 'subordinate-ids',
    detail: 'alice has no range in /etc/subuid',
    remedy: 'sudo usermod --add-subuids 365536-431071 alice',
  },
  {
    what: 'all subordinate ids',
    change: (h) => {
      drop(h.files, '/etc/subuid');
      drop(h.files, '/etc/subgid');
    },
    id: 'subordinate-ids',
    detail: 'alice has no range in /etc/subuid',
    remedy: 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 alice',
  },
  {
    what: 'enough subordinate gids',
    change: (h) => (h.files['/etc/subgid'] = 'alice:200000:1000\n'),
    id: 'subordinate-ids',
    detail: 'alice has 1000 ids in /etc/subgid; images use ids up to 65534',
    remedy: 'sudo usermod --add-subgids 231072-296607 alice',
  },
  ...(
    [
      [0x6969, 'NFS'],
      [0x0bd00bd0, 'Lustre'],
      [0x47504653, 'GPFS'],
      [0xff534d42 | 0, 'CIFS'],
    ] as const
  ).map(
    ([magic, name]): Absence => ({
      what: `a local file system (${name})`,
      change: (h) => (h.magics['/home/alice'] = magic),
      id: 'store',
      detail: `/home/alice/.local/share/tsrun is on ${name}`,
      remedy: 'tsrun --root /var/tmp',
    }),
  ),
  {
    what: 'a file system that is known to take every owner',
    change: (h) => (h.magics['/home/alice'] = 0x65735546),
    id: 'store',
    detail: 'is on FUSE, which may not let this user give files to subordinate ids',
    remedy: 'tsrun --root /var/tmp',
  },
  {
    what: 'a store that stays',
    change: (h) => (h.magics['/home/alice'] = 0x01021994),
    id: 'store',
    detail: 'in memory (tmpfs)',
    remedy: 'tsrun --root',
  },
  {
    what: 'exec on the store’s file system',
    change: (h) => (h.files['/proc/self/mountinfo'] += '23 22 8:2 / /home rw,noexec - ext4 /dev/sda2 rw\n'),
    id: 'store',
    detail: 'mounted noexec',
    remedy: 'tsrun --root',
  },
  {
    what: 'a writable store',
    change: (h) => (h.denied['/home/alice'] = 'EROFS'),
    id: 'store',
    status: 'blocked',
    detail: '/home/alice cannot be written (EROFS)',
    remedy: 'tsrun --root',
  },
  {
    what: 'space',
    change: (h) => (h.freeBytes = 200 * 2 ** 20),
    id: 'free-space',
    detail: 'only 0.2 GiB at /home/alice/.local/share/tsrun',
    remedy: 'tsrun rmi',
  },
  {
    what: 'any overlay',
    change: (h) => {
      h.files['/proc/filesystems'] = '\text4\n';
      drop(h.commands, 'fuse-overlayfs');
    },
    id: 'overlay',
    detail: 'fuse-overlayfs is not installed',
    remedy: 'sudo modprobe overlay || sudo apt-get install -y fuse-overlayfs',
  },
  {
    what: 'the kernel’s overlay and a usable /dev/fuse',
    change: (h) => {
      h.files['/proc/filesystems'] = '\text4\n';
      h.denied['/dev/fuse'] = 'EACCES';
    },
    id: 'overlay',
    detail: '/dev/fuse cannot be used (EACCES)',
    remedy: 'sudo chmod 0666 /dev/fuse',
  },
  {
    what: 'XDG_RUNTIME_DIR, though the usual directory is there',
    change: (h) => drop(h.env, 'XDG_RUNTIME_DIR'),
    id: 'runtime-directory',
    detail: 'not set',
    remedy: 'export XDG_RUNTIME_DIR=/run/user/1001',
  },
  {
    what: 'an XDG_RUNTIME_DIR of one’s own (after su)',
    change: (h) => {
      h.env.XDG_RUNTIME_DIR = '/run/user/0';
      h.stats['/run/user/0'] = { kind: 'directory', mode: 0o700, uid: 0, gid: 0 };
    },
    id: 'runtime-directory',
    detail: '/run/user/0 belongs to uid 0, not 1001',
    remedy: 'export XDG_RUNTIME_DIR=/run/user/1001',
  },
  {
    what: 'an existing XDG_RUNTIME_DIR',
    change: (h) => {
      drop(h.stats, '/run/user/1001');
      h.denied['/run/user/1001'] = 'ENOENT';
    },
    id: 'runtime-directory',
    detail: '/run/user/1001 cannot be used (ENOENT)',
    remedy: 'export XDG_RUNTIME_DIR=$(mktemp -d)',
  },
  {
    what: 'a private XDG_RUNTIME_DIR',
    change: (h) => (h.stats['/run/user/1001'] = { kind: 'directory', mode: 0o755, uid: 1001, gid: 1001 }),
    id: 'runtime-directory',
    detail: 'others may enter /run/user/1001 (mode 755)',
    remedy: 'chmod 700 /run/user/1001',
  },
  {
    what: 'network helpers',
    change: (h) => {
      drop(h.commands, 'pasta');
      drop(h.commands, 'slirp4netns');
    },
    id: 'network-helper',
    detail: 'neither is installed',
    remedy: 'sudo apt-get install -y passt',
  },
  {
    what: '/dev/net/tun',
    change: (h) => (h.denied['/dev/net/tun'] = 'ENOENT'),
    id: 'tun',
    detail: '/dev/net/tun is not there',
    remedy: 'sudo modprobe tun',
  },
  {
    what: 'the right to open /dev/net/tun',
    change: (h) => (h.denied['/dev/net/tun'] = 'EACCES'),
    id: 'tun',
    detail: '/dev/net/tun cannot be opened (EACCES)',
    remedy: 'sudo chmod 0666 /dev/net/tun',
  },
  {
    what: 'low ports',
    change: (h) => (h.files['/proc/sys/net/ipv4/ip_unprivileged_port_start'] = '1024\n'),
    id: 'low-ports',
    detail: 'ports below 1024 are the administrator’s',
    remedy: 'net.ipv4.ip_unprivileged_port_start=80',
  },
  {
    what: 'ping',
    change: (h) => (h.files['/proc/sys/net/ipv4/ping_group_range'] = '1\t0\n'),
    id: 'ping',
    detail: 'net.ipv4.ping_group_range is 1 0, without group 1001',
    remedy: 'net.ipv4.ping_group_range=0 2147483647',
  },
  {
    what: 'cgroup v2',
    change: (h) => (h.magics['/sys/fs/cgroup'] = 0x01021994),
    id: 'cgroups',
    detail: 'cgroup v1',
    remedy: 'systemd.unified_cgroup_hierarchy=1',
  },
  {
    what: 'cgroup v2, where there is no systemd to tell',
    change: (h) => {
      h.magics['/sys/fs/cgroup'] = 0x01021994;
      drop(h.stats, '/run/systemd/system');
    },
    id: 'cgroups',
    detail: 'cgroup v1',
    remedy: undefined,
  },
  {
    what: 'a delegated controller',
    change: (h) => (h.files[`${USER_CGROUP}/cgroup.controllers`] = 'memory pids\n'),
    id: 'cgroups',
    detail: 'v2, without cpu, cpuset, io for this user',
    remedy: 'Delegate=cpu cpuset io memory pids',
  },
  {
    what: 'a cgroup of one’s own',
    change: (h) => (h.denied[USER_CGROUP] = 'EACCES'),
    id: 'cgroups',
    detail: `v2, and ${USER_CGROUP} is not this user’s`,
    remedy: 'delegate.conf',
  },
  {
    what: 'lingering',
    change: (h) => drop(h.stats, '/var/lib/systemd/linger/alice'),
    id: 'linger',
    detail: 'lingering is off for alice',
    remedy: 'loginctl enable-linger alice',
  },
  {
    what: 'the official Node',
    change: (h) =>
      (h.node = { version: '24.1.0', execPath: '/usr/bin/node', sharedLibraries: ['node_shared_zlib'] }),
    id: 'node',
    detail: 'a distribution’s build',
    remedy: 'npm install -g node@24',
  },
  {
    what: 'the extra certificates',
    change: (h) => {
      h.env.NODE_EXTRA_CA_CERTS = '/etc/corp.pem';
      h.denied['/etc/corp.pem'] = 'ENOENT';
    },
    id: 'extra-certificates',
    detail: '/etc/corp.pem cannot be read (ENOENT)',
    remedy: 'unset NODE_EXTRA_CA_CERTS',
  },
  {
    what: 'lazy loading of extra certificates',
    change: (h) => {
      h.env.NODE_EXTRA_CA_CERTS = '/etc/corp.pem';
      h.node = { ...h.node, version: '20.20.2' };
    },
    id: 'extra-certificates',
    detail: 'which Node 20.20.2 reads at every start',
    remedy: 'npm install -g node@24',
  },
];

describe('the doctor', () => {
  it('finds nothing wrong where everything is there, and gives no remedy', () => {
    const { findings, status, exitCode } = runDoctor(fakeHost());
    expect(findings.filter((finding) => finding.status !== 'ok' || finding.remedy !== undefined)).toEqual([]);
    expect([status, exitCode]).toEqual(['ok', 0]);
  });

  it.each(ABSENCES)('without $what: $id, and nothing else', ({ change, id, status, detail, remedy }) => {
    const found = troubles(change);
    expect(found.map((finding) => [finding.id, finding.status])).toEqual([[id, status ?? 'degraded']]);
    expect(found[0]?.detail).toContain(detail);
    expect(found[0]?.detail).not.toContain('\n');
    if (remedy === undefined) expect(found[0]?.remedy).toBeUndefined();
    else expect(found[0]?.remedy).toContain(remedy);
    expect(found[0]?.needsRoot).toBe(
      found[0]?.remedy === undefined ? undefined : /\bsudo /.test(found[0].remedy),
    );
  });

  it('takes every probe away at least once', () => {
    expect(new Set(ABSENCES.map(({ id }) => id))).toEqual(
      new Set(runDoctor(fakeHost()).findings.map(({ id }) => id)),
    );
  });

  it('blames no setting while user namespaces work, whatever the settings say', () => {
    const found = troubles((host) => {
      host.files['/proc/sys/kernel/apparmor_restrict_unprivileged_userns'] = '1\n';
      host.files['/proc/sys/kernel/unprivileged_userns_clone'] = '0\n';
    });
    expect(found).toEqual([]);
  });

  it('npm start installs the AppArmor profile that doctor prints', () => {
    const host = fakeHost();
    host.tryUserNamespace = () => ({ ok: false, words: 'mount: Permission denied (EACCES)' });
    host.files['/proc/sys/kernel/apparmor_restrict_unprivileged_userns'] = '1\n';
    const script = `. src/setup/apparmor.sh; apparmor_profile ${host.launcher}`;
    const profile = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
    expect(userNamespaceCause(host)?.remedy).toContain(profile);
  });

  it('accepts file capabilities instead of the setuid bit', () => {
    const found = troubles((host) => {
      for (const [name, capability] of [
        ['newuidmap', 'cap_setuid=ep'],
        ['newgidmap', 'cap_setgid=ep'],
      ]) {
        host.stats[`/usr/bin/${name}`] = { kind: 'file', mode: 0o755, uid: 0, gid: 0 };
        host.capabilities[`/usr/bin/${name}`] = capability;
      }
    });
    expect(found).toEqual([]);
  });

  it('asks getsubids where the files know no range', () => {
    const found = troubles((host) => {
      drop(host.files, '/etc/subuid');
      drop(host.files, '/etc/subgid');
      host.commands.getsubids = '/usr/bin/getsubids';
      host.outputs['getsubids alice'] = '0: alice 200000 65536\n';
      host.outputs['getsubids -g alice'] = '0: alice 200000 65536\n';
    });
    expect(found).toEqual([]);
  });

  it('does not need fuse where the kernel’s overlay is', () => {
    expect(troubles((host) => (host.denied['/dev/fuse'] = 'EACCES'))).toEqual([]);
    expect(troubles((host) => drop(host.commands, 'fuse-overlayfs'))).toEqual([]);
  });

  it('says nothing of lingering without logind', () => {
    const found = troubles((host) => {
      drop(host.stats, '/var/lib/systemd/linger/alice');
      drop(host.stats, '/run/systemd/system');
    });
    expect(found).toEqual([]);
  });

  it('gives the versions of helpers, and says when one does not tell', () => {
    const host = fakeHost();
    host.outputs['pasta --version'] = 'pasta unknown version\nCopyright Red Hat\n';
    const detail = runDoctor(host).findings.find(({ id }) => id === 'network-helper')?.detail;
    expect(detail).toBe('pasta of unknown version, slirp4netns 1.2.0');
  });
});

describe('causes for errors', () => {
  it('are undefined where the setting is fine', () => {
    const host = fakeHost();
    expect(userNamespaceCause(host)).toBeUndefined();
    expect(idMapHelperCause(host)).toBeUndefined();
    expect(tunCause(host)).toBeUndefined();
    expect(storeCause(host)).toBeUndefined();
    expect(lowPortCause(host, 80)).toBeUndefined();
  });

  it('name the port that was asked for', () => {
    const host = fakeHost();
    host.files['/proc/sys/net/ipv4/ip_unprivileged_port_start'] = '1024\n';
    expect(lowPortCause(host, 443)?.remedy).toContain('ip_unprivileged_port_start=443');
    expect(lowPortCause(host, 1024)).toBeUndefined();
    drop(host.files, '/proc/sys/net/ipv4/ip_unprivileged_port_start');
    expect(lowPortCause(host, 1023)?.detail).toContain('ports below 1024');
  });
});
