/**
 * `-v [SOURCE:]DESTINATION[:OPTIONS]` and `--tmpfs DESTINATION[:OPTIONS]`.
 *
 *     -v ./page:/var/www:ro     a path of the host: begins with / or .
 *     -v data:/var/lib/db       a named volume
 *     -v /var/cache             an anonymous volume
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { MountRequest } from '../../engine/request.ts';
import { tsrunError } from '../../errors.ts';
import { usageError } from './usage.ts';

/** The name of a directory. */
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;
const EXAMPLE = '-v ./directory:/place/in/container:ro';

const BIND_OPTIONS = new Set([
  ...['rw', 'ro', 'rro', 'exec', 'noexec', 'suid', 'nosuid', 'dev', 'nodev', 'bind', 'rbind'],
  ...['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'],
  ...['z', 'Z', 'U', 'cached', 'delegated', 'consistent', 'nocopy', 'copy'],
]);
const TMPFS_FLAGS = new Set([
  'rw',
  'ro',
  'exec',
  'noexec',
  'suid',
  'nosuid',
  'dev',
  'nodev',
  'noatime',
  'strictatime',
  'relatime',
]);
const TMPFS_VALUES =
  /^(?:size=\d+(?:[kKmMgG]|%)?|mode=0?[0-7]{1,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kKmMgG]?|nr_blocks=\d+[kKmMgG]?)$/;

/** Checks a destination: absolute, and not the root itself. Throws ERR_TSRUN_USAGE. */
export function checkDestination(destination: string, where: string): string {
  if (!destination.startsWith('/')) {
    throw usageError(`${where}: "${destination}" is not an absolute path in the container`, EXAMPLE);
  }
  const normal = resolve('/', destination);
  if (normal === '/') throw usageError(`${where}: nothing can be mounted over the root itself`, EXAMPLE);
  return normal;
}

/** Checks options of a bind mount or volume. Throws ERR_TSRUN_USAGE. */
export function checkBindOptions(options: readonly string[], where: string): void {
  for (const option of options) {
    if (BIND_OPTIONS.has(option)) continue;
    throw usageError(`${where}: the mount option "${option}" is not supported`, EXAMPLE);
  }
}

/** Checks options of a tmpfs. Throws ERR_TSRUN_USAGE. */
export function checkTmpfsOptions(options: readonly string[], where: string): void {
  for (const option of options) {
    if (TMPFS_FLAGS.has(option) || TMPFS_VALUES.test(option)) continue;
    throw usageError(
      `${where}: the tmpfs option "${option}" is not supported`,
      '--tmpfs /tmp:size=64m,mode=1777',
    );
  }
}

/** A path of the host, made absolute; it must be there. Throws ERR_TSRUN_MOUNT_SOURCE. */
export function hostPath(written: string, directory: string): string {
  const path = resolve(directory, written);
  try {
    statSync(path);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_MOUNT_SOURCE', { source: path }, error);
  }
  return path;
}

/** Checks a volume's name. Throws ERR_TSRUN_USAGE. */
export function checkVolumeName(name: string, where: string): string {
  if (VOLUME_NAME.test(name)) return name;
  if (name.length > 255)
    throw usageError(`${where}: the name of a volume has 255 letters at most, and this one ${name.length}`);
  const hint = name.includes('/') ? `-v ./${name}:… for a path of the host` : undefined;
  throw usageError(`${where}: "${name}" is neither a path (/… or ./…) nor a volume name`, hint);
}

const splitOptions = (text: string): string[] => text.split(',').filter((option) => option !== '');

/** @param directory what relative paths start from. Throws ERR_TSRUN_USAGE, ERR_TSRUN_MOUNT_SOURCE. */
export function parseVolume(text: string, directory: string): MountRequest {
  const where = `-v ${text}`;
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part) => part === '')) {
    throw usageError(`${where}: not of the form [SOURCE:]DESTINATION[:OPTIONS]`, EXAMPLE);
  }
  const [first = '', second, third] = parts;
  if (second === undefined) {
    return { type: 'volume', source: undefined, destination: checkDestination(first, where), options: [] };
  }
  const destination = checkDestination(second, where);
  const options = splitOptions(third ?? '');
  checkBindOptions(options, where);
  if (/^[./]/.test(first)) return { type: 'bind', source: hostPath(first, directory), destination, options };
  return { type: 'volume', source: checkVolumeName(first, where), destination, options };
}

/** Throws ERR_TSRUN_USAGE. */
export function parseTmpfs(text: string): MountRequest {
  const where = `--tmpfs ${text}`;
  const colon = text.indexOf(':');
  const destination = checkDestination(colon === -1 ? text : text.slice(0, colon), where);
  const options = colon === -1 ? [] : splitOptions(text.slice(colon + 1));
  checkTmpfsOptions(options, where);
  return { type: 'tmpfs', source: undefined, destination, options };
}
