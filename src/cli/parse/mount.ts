/** `--mount type=bind,source=./page,destination=/var/www,readonly`: the long form of -v and --tmpfs, one record of CSV (RFC 4180). */
import type { MountRequest } from '../../engine/request.ts';
import { parseSize } from './size.ts';
import { usageError } from './usage.ts';
import {
  checkBindOptions,
  checkDestination,
  checkTmpfsOptions,
  checkVolumeName,
  hostPath,
} from './volume.ts';

const EXAMPLE = '--mount type=bind,source=./directory,destination=/place,readonly';

const TYPES = ['bind', 'volume', 'tmpfs', 'image', 'devpts'] as const;
type Type = (typeof TYPES)[number];

/** Fields of one CSV record; a quoted field may hold commas, and "" for a quote. Undefined when a quote is not closed. */
export function csvFields(text: string): string[] | undefined {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const [whole, quoted, plain = ''] = /^(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (whole.length === rest.length) return fields;
    rest = rest.slice(whole.length + 1);
  }
}

interface Written {
  type: Type;
  source: string | undefined;
  destination: string | undefined;
  options: string[];
}

const isTrue = (value: string | undefined): boolean =>
  value === undefined || value === 'true' || value === '1';

/** Reads one key into `mount`; false when there is no such key for its type. */
function readKey(mount: Written, key: string, value: string | undefined, where: string): boolean {
  switch (key) {
    case 'type':
      break;
    case 'source':
    case 'src':
      mount.source = value ?? '';
      break;
    case 'destination':
    case 'dst':
    case 'target':
      mount.destination = value ?? '';
      break;
    case 'readonly':
    case 'ro':
      if (isTrue(value)) mount.options.push('ro');
      break;
    case 'rw':
      mount.options.push(isTrue(value) ? 'rw' : 'ro');
      break;
    case 'consistency':
      break; // of Docker Desktop; says nothing on Linux
    case 'exec':
    case 'noexec':
    case 'suid':
    case 'nosuid':
    case 'dev':
    case 'nodev':
      if (value !== undefined) return false;
      mount.options.push(key);
      break;
    default:
      return readTypedKey(mount, key, value, where);
  }
  return true;
}

function readTypedKey(mount: Written, key: string, value: string | undefined, where: string): boolean {
  const name = `${mount.type}: ${key}`;
  switch (name) {
    case 'bind: bind-propagation':
    case 'bind: propagation':
      mount.options.push(value ?? '');
      return true;
    case 'bind: u':
    case 'bind: chown':
    case 'volume: u':
    case 'volume: chown':
      if (isTrue(value)) mount.options.push('U');
      return true;
    case 'bind: bind-nonrecursive':
      if (isTrue(value)) mount.options.push('bind');
      return true;
    case 'bind: relabel':
      mount.options.push(value === 'shared' ? 'z' : 'Z');
      return true;
    case 'volume: volume-nocopy':
    case 'volume: nocopy':
      if (isTrue(value)) mount.options.push('nocopy');
      return true;
    case 'volume: copy':
      return isTrue(value);
    case 'tmpfs: tmpfs-size':
      mount.options.push(`size=${parseSize(value ?? '', `${where}: tmpfs-size`)}`);
      return true;
    case 'tmpfs: notmpcopyup': // as tsrun has it anyway
      return isTrue(value);
    case 'image: readwrite':
      mount.options.push(isTrue(value) ? 'rw' : 'ro');
      return true;
    case 'devpts: uid':
    case 'devpts: gid':
    case 'devpts: mode':
    case 'devpts: max':
      if (!/^\d{1,10}$/.test(value ?? '')) throw usageError(`${where}: ${key} is a number`, EXAMPLE);
      mount.options.push(`${key}=${value}`);
      return true;
    case 'tmpfs: tmpfs-mode':
      mount.options.push(`mode=${value ?? ''}`);
      return true;
    default:
      return false;
  }
}

function typeOf(fields: readonly string[], where: string): Type {
  const written = fields.find((field) => field.startsWith('type='))?.slice('type='.length) ?? 'volume';
  const type = TYPES.find((known) => known === written);
  if (type) return type;
  throw usageError(
    `${where}: the type "${written}" is not supported; there are ${TYPES.join(', ')}`,
    EXAMPLE,
  );
}

function sourceOf(mount: Written, where: string, directory: string): string | undefined {
  if (mount.type === 'tmpfs' || mount.type === 'devpts') {
    if (mount.source === undefined) return undefined;
    throw usageError(
      `${where}: a ${mount.type} has no source`,
      `--mount type=${mount.type},destination=/place`,
    );
  }
  if (mount.type === 'image') {
    if (mount.source) return mount.source;
    throw usageError(
      `${where}: which image? the source is missing`,
      '--mount type=image,source=busybox,destination=/box',
    );
  }
  if (mount.type === 'bind') {
    if (mount.source) return hostPath(mount.source, directory);
    throw usageError(`${where}: a bind mount needs a source`, EXAMPLE);
  }
  return mount.source ? checkVolumeName(mount.source, where) : undefined;
}

/** @param directory what relative paths start from. Throws ERR_TSRUN_USAGE, ERR_TSRUN_MOUNT_SOURCE. */
export function parseMount(text: string, directory: string): MountRequest {
  const where = `--mount ${text}`;
  const fields = csvFields(text);
  if (fields === undefined) throw usageError(`${where}: a quote is not closed`, EXAMPLE);
  const mount: Written = {
    type: typeOf(fields, where),
    source: undefined,
    destination: undefined,
    options: [],
  };
  for (const field of fields) {
    const equals = field.indexOf('=');
    const key = equals === -1 ? field : field.slice(0, equals);
    const value = equals === -1 ? undefined : field.slice(equals + 1);
    if (!readKey(mount, key.toLowerCase(), value, where)) {
      throw usageError(`${where}: "${key}" is not supported for type=${mount.type}`, EXAMPLE);
    }
  }
  if (mount.destination === undefined) throw usageError(`${where}: the destination is missing`, EXAMPLE);
  if (mount.type === 'tmpfs') checkTmpfsOptions(mount.options, where);
  else if (mount.type !== 'devpts') checkBindOptions(mount.options, where);
  const destination = checkDestination(mount.destination, where);
  return { type: mount.type, source: sourceOf(mount, where, directory), destination, options: mount.options };
}
