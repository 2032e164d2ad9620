/** The file systems of a container as mount(8) commands, made below "$root" before it becomes the root. */
import { STANDARD_DEVICES } from '../../launch/devices.ts';
import { MOUNT_NAMESPACE } from '../../launch/mount-options.ts';
import type { RuntimeMount } from '../../spec/runtime.ts';
import type { Plan } from '../plan.ts';
import { comment, quote, words } from './quote.ts';

/** `$root/etc/hosts` as a word of the script. */
const inRoot = (path: string): string => `"$root"${quote(path)}`;

/** The name under which the script keeps a generated file. */
export const generatedFile = (destination: string): string =>
  `"$dir"/files/${quote(destination.slice(1).replaceAll('/', '-'))}`;

const PROPAGATION = /^r?(private|slave|shared)$/;

const isBind = ({ type, options = [] }: RuntimeMount): boolean =>
  type === 'bind' || options.includes('bind') || options.includes('rbind');

export function rootSteps({ rootfs: { driver, paths } }: Plan): string[] {
  if (driver === 'copy') {
    return [
      '# No overlay works here, so all layers are copied. What an upper layer removes from a lower one stays.',
      `for layer in ${words([...paths.lowers].reverse())}; do`,
      '  cp --archive --reflink=auto --no-preserve=ownership "$layer/." "$root/"',
      'done',
      'mount --bind "$root" "$root"',
    ];
  }
  const lowers = paths.lowers.map((path) => path.replaceAll(/[\\:,]/g, String.raw`\$&`)).join(':');
  const options = `lowerdir=${lowers},upperdir=$dir/upper,workdir=$dir/work`;
  return driver === 'overlay'
    ? [`mount -t overlay -o "${options},userxattr" overlay "$root"`]
    : [`fuse-overlayfs -o "${options}" "$root"`];
}

/** Every mount of the configuration, in its order. */
export function mountSteps(plan: Plan): string[] {
  return plan.config.mounts.flatMap((mount) => {
    const lines = isBind(mount) ? bindMount(plan, mount) : newFilesystem(mount);
    return mount.destination === '/dev' && mount.type === 'tmpfs' ? [...lines, ...devices()] : lines;
  });
}

function newFilesystem({
  destination,
  type = 'none',
  source = 'none',
  options = [],
}: RuntimeMount): string[] {
  const kept = options.filter((option) => option !== 'x-file' && !PROPAGATION.test(option));
  const given = kept.length > 0 ? `-o ${quote(kept.join(','))} ` : '';
  return [
    `mkdir -p ${inRoot(destination)}`,
    `mount -t ${quote(type)} ${given}${quote(source)} ${inRoot(destination)}`,
  ];
}

/** Options of mount(8) that a bind mount takes in a second step. */
const FLAGS = new Set(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'rro', 'nosymfollow']);

function bindMount(plan: Plan, { destination, source = '', options = [] }: RuntimeMount): string[] {
  if (options.some((option) => option.startsWith(`${MOUNT_NAMESPACE}=`)))
    return comment(`Left out: ${destination} of the other container, as mount(8) takes nothing from there.`);
  const from = destination in plan.files ? generatedFile(destination) : quote(source);
  const target = inRoot(destination);
  const flags = options
    .filter((option) => FLAGS.has(option))
    .map((option) => (option === 'rro' ? 'ro' : option));
  const place = options.includes('x-file')
    ? `mkdir -p "$(dirname ${target})" && [ -e ${target} ] || : >${target}`
    : `mkdir -p ${target}`;
  const propagation = options.find((option) => PROPAGATION.test(option)) ?? 'rprivate';
  return [
    place,
    `mount --${options.includes('bind') ? 'bind' : 'rbind'} ${from} ${target}`,
    `mount --make-${propagation} ${target}`,
    ...(flags.length > 0 ? [`remount ${target} ${flags.join(',')}`] : []),
  ];
}

function devices(): string[] {
  return [
    `for name in ${STANDARD_DEVICES.join(' ')}; do`,
    '  : >"$root/dev/$name"',
    '  mount --bind "/dev/$name" "$root/dev/$name" # no user namespace may make device nodes',
    'done',
    'ln -s /proc/self/fd "$root/dev/fd"',
    ...['stdin', 'stdout', 'stderr'].map((name, n) => `ln -s /proc/self/fd/${n} "$root/dev/${name}"`),
    'ln -s pts/ptmx "$root/dev/ptmx"',
    'ln -s /proc/kcore "$root/dev/core"',
  ];
}

/** Hidden and read-only paths of /proc and /sys, those that this kernel has. */
export function pathSteps({ config: { linux } }: Plan): string[] {
  const { maskedPaths = [], readonlyPaths = [] } = linux;
  const hide = [
    `for path in ${words(maskedPaths)}; do`,
    '  if [ -d "$root$path" ]; then mount -t tmpfs -o ro,size=0,nr_inodes=2 tmpfs "$root$path"',
    '  elif [ -e "$root$path" ]; then mount --bind /dev/null "$root$path"; fi',
    'done',
  ];
  const protect = [
    `for path in ${words(readonlyPaths)}; do`,
    '  [ -e "$root$path" ] || continue',
    '  mount --rbind "$root$path" "$root$path"',
    '  remount "$root$path" ro',
    'done',
  ];
  return [...(maskedPaths.length > 0 ? hide : []), ...(readonlyPaths.length > 0 ? protect : [])];
}

/** A user namespace may add flags to a mount of the host's, never take one away: so all that it has are given again. */
export const REMOUNT = [
  'local has',
  'has=$(findmnt --noheadings --raw --output VFS-OPTIONS --mountpoint "$1" | tail -n 1)',
  'mount -o "remount,bind,$has,$2" "$1"',
];
