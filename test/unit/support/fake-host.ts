/** A host on which everything that tsrun can use is there; each test takes something away. */
import type { FileFacts, HostView } from '../../../src/engine/doctor/host-view.ts';
import type { ErrnoName } from '../../../src/sys/errno.ts';

export interface FakeHost extends HostView {
  env: Record<string, string | undefined>;
  user: { name: string; uid: number; gid: number };
  kernelRelease: string;
  node: { version: string; execPath: string; sharedLibraries: string[] };
  /** Texts of files; delete one and it is not there. */
  files: Record<string, string>;
  stats: Record<string, FileFacts>;
  /** Why a path may not be used. */
  denied: Record<string, ErrnoName>;
  magics: Record<string, number>;
  freeBytes: number | undefined;
  capabilities: Record<string, string | undefined>;
  commands: Record<string, string>;
  /** Output of `command --version` and the like, by the joined argv. */
  outputs: Record<string, string>;
  userNamespace: ReturnType<HostView['tryUserNamespace']>;
}

const directory = (uid: number, mode = 0o755): FileFacts => ({ kind: 'directory', mode, uid, gid: uid });
const setuidRoot: FileFacts = { kind: 'file', mode: 0o4755, uid: 0, gid: 0 };

export const USER_CGROUP = '/sys/fs/cgroup/user.slice/user-1001.slice/user@1001.service';
export const CGROUP2 = 0x63677270;
export const EXT4 = 0xef53;

export function fakeHost(): FakeHost {
  return {
    env: { XDG_RUNTIME_DIR: '/run/user/1001' },
    user: { name: 'alice', uid: 1001, gid: 1001 },
    kernelRelease: '6.1.0-37-amd64',
    node: { version: '24.21.0', execPath: '/usr/local/bin/node', sharedLibraries: [] },
    storeRoot: '/home/alice/.local/share/tsrun',
    launcher: '/usr/lib/tsrun/dist/bin/tsrun',
    files: {
      '/proc/self/status': 'Name:\tnode\nNoNewPrivs:\t0\nSeccomp:\t0\n',
      '/proc/self/mountinfo': '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n',
      '/proc/self/cgroup': '0::/user.slice\n',
      '/proc/filesystems': 'nodev\tproc\n\text4\nnodev\toverlay\n',
      '/proc/sys/user/max_user_namespaces': '96365\n',
      '/proc/sys/kernel/unprivileged_userns_clone': '1\n',
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '0\n',
      '/proc/sys/net/ipv4/ip_unprivileged_port_start': '80\n',
      '/proc/sys/net/ipv4/ping_group_range': '0\t2147483647\n',
      '/etc/subuid': 'bob:100000:65536\nalice:165536:65536\n',
      '/etc/subgid': 'bob:100000:65536\n1001:165536:65536\n',
      '/etc/os-release': 'ID=debian\n',
      [`${USER_CGROUP}/cgroup.controllers`]: 'cpuset cpu io memory pids\n',
    },
    stats: {
      '/': directory(0),
      '/home/alice': directory(1001),
      '/run/user/1001': directory(1001, 0o700),
      '/run/systemd/system': directory(0),
      '/var/lib/systemd/linger/alice': { kind: 'file', mode: 0o644, uid: 0, gid: 0 },
      '/usr/bin/newuidmap': setuidRoot,
      '/usr/bin/newgidmap': setuidRoot,
      [USER_CGROUP]: directory(1001),
    },
    denied: {},
    magics: { '/sys/fs/cgroup': CGROUP2, '/home/alice': EXT4 },
    freeBytes: 50 * 2 ** 30,
    capabilities: { '/usr/bin/newuidmap': '', '/usr/bin/newgidmap': '' },
    commands: Object.fromEntries(
      ['newuidmap', 'newgidmap', 'pasta', 'slirp4netns', 'fuse-overlayfs'].map((name) => [
        name,
        `/usr/bin/${name}`,
      ]),
    ),
    outputs: {
      'pasta --version': 'pasta 0.0~git20240426\n',
      'slirp4netns --version': 'slirp4netns version 1.2.0\ncommit: 656041d\n',
      'fuse-overlayfs --version': 'fusermount3 version: 3.14.0\nfuse-overlayfs: version 1.10\n',
    },
    userNamespace: { ok: true },
    readText(path) {
      return this.files[path];
    },
    stat(path) {
      return this.stats[path];
    },
    access(path) {
      return this.denied[path];
    },
    statfs(path) {
      const magic = this.magics[path];
      return magic === undefined || this.freeBytes === undefined
        ? undefined
        : { magic, freeBytes: this.freeBytes };
    },
    fileCapabilities(path) {
      return this.capabilities[path];
    },
    which(command) {
      return this.commands[command];
    },
    run(argv) {
      const stdout = this.outputs[argv.join(' ')];
      return { status: stdout === undefined ? 1 : 0, stdout: stdout ?? '', stderr: '' };
    },
    tryUserNamespace() {
      return this.userNamespace;
    },
  };
}
