/** `busybox`: Debian's static busybox, laid out as Docker's image of that name. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Layer, Recipe } from './oci-layout.ts';
import { directory, type Entry, file, symlink } from './tar-archive.ts';

const PLACES = ['/bin/busybox', '/usr/bin/busybox'];

/** elf(5) */
const PT_INTERP = 3;

/** Whether an ELF64 little-endian file needs no dynamic linker. */
function isStatic(elf: Buffer): boolean {
  const start = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  const count = elf.readUInt16LE(56);
  return !Array.from({ length: count }, (_, i) => elf.readUInt32LE(start + i * size)).includes(PT_INTERP);
}

/** Path of this machine's busybox. Throws when there is none that runs without libraries. */
function staticBusybox(): string {
  const found = PLACES.find((path) => existsSync(path) && isStatic(readFileSync(path)));
  if (!found) throw new Error('no static busybox here; install one: sudo apt-get install busybox-static');
  return found;
}

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
sync:x:4:100:sync:/bin:/bin/sync
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;

const GROUP = `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
kmem:x:9:
wheel:x:10:root
mail:x:8:
shadow:x:42:
www-data:x:33:
utmp:x:43:
users:x:100:
nobody:x:65534:
`;

const SHADOW = PASSWD.replace(/^(\w+):.*$/gm, '$1:*:20089:0:99999:7:::');

const NSSWITCH = `passwd: files
group: files
shadow: files
hosts: files dns
`;

const DIRECTORIES: Entry[] = [
  ...['bin', 'dev', 'etc', 'home', 'lib', 'proc', 'sbin', 'sys'].map((path) => directory(path)),
  directory('root', { mode: 0o700 }),
  directory('tmp', { mode: 0o1777 }),
  ...['usr', 'usr/bin', 'usr/local', 'usr/local/bin', 'usr/sbin', 'var', 'var/spool'].map((path) =>
    directory(path),
  ),
  directory('var/spool/mail', { mode: 0o2775, gid: 8 }),
  directory('var/tmp', { mode: 0o1777 }),
];

export function busyboxLayer(): Layer {
  const program = staticBusybox();
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  return {
    comment: 'busybox, from Debian package busybox-static',
    entries: [
      ...DIRECTORIES,
      file('bin/busybox', readFileSync(program), { mode: 0o755 }),
      ...applets.filter((name) => name !== 'busybox').map((name) => symlink(`bin/${name}`, 'busybox')),
      symlink('usr/bin/env', '../../bin/busybox'),
      file('etc/passwd', PASSWD),
      file('etc/group', GROUP),
      file('etc/shadow', SHADOW, { mode: 0o640, gid: 42 }),
      file('etc/nsswitch.conf', NSSWITCH),
      file('etc/hostname', ''),
    ],
  };
}

export const BUSYBOX_ENV = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

export const busybox = (): Recipe => ({
  name: 'busybox',
  layers: [busyboxLayer()],
  config: { Env: BUSYBOX_ENV, Cmd: ['sh'] },
});
