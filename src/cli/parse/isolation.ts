/** Values of options about what a container sees of this machine. */
import { lstatSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DeviceRequest } from '../../engine/request.ts';
import { usageError } from './usage.ts';

const pair =
  (option: string, example: string) =>
  (text: string): [key: string, value: string] => {
    const equals = text.indexOf('=');
    if (equals > 0 && !text.includes('\0')) return [text.slice(0, equals), text.slice(equals + 1)];
    throw usageError(`${option} ${text}: not of the form NAME=VALUE`, example);
  };

export const parseAnnotation = pair('--annotation', '--annotation org.example.role=front');

const splitSysctl = pair('--sysctl', '--sysctl net.ipv4.ip_default_ttl=32');

/** Parameters that belong to a namespace, and can be set without changing this machine (runtime-spec config-linux.md "sysctl"). */
const NAMESPACED =
  /^(?:net\.|fs\.mqueue\.|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$)/;

/** Throws ERR_TSRUN_USAGE for a parameter of the whole machine. */
export function parseSysctl(text: string): [key: string, value: string] {
  const [key, value] = splitSysctl(text);
  const name = key.includes('/') ? key.replaceAll('/', '.') : key;
  if (NAMESPACED.test(name) && !name.includes('..')) return [name, value];
  throw usageError(
    `--sysctl ${text}: ${name} belongs to the whole machine; there are net.…, fs.mqueue.…, kernel.shm…, kernel.msg… and kernel.sem`,
    '--sysctl net.ipv4.ip_default_ttl=32',
  );
}

export function parseUmask(text: string): number {
  if (/^0?[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8) & 0o777;
  throw usageError(`--umask ${text}: not an octal number`, '--umask 0022');
}

/** `80`, `80/udp`, `8000-8010/tcp` → one for each port. */
export function parseExpose(text: string): string[] {
  const [, first = '', last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from < 1 || to < from || to > 65535) {
    throw usageError(`--expose ${text}: not a port, or a range of ports`, '--expose 8080/tcp');
  }
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol}`);
}

/** `/dev/fuse`, `/dev/sda:/dev/xvda:rwm`. Throws ERR_TSRUN_USAGE. */
export function parseDevice(text: string): DeviceRequest {
  const parts = text.split(':');
  const [written = '', second, third] = parts;
  const isMode = (word: string | undefined): boolean => word !== undefined && /^[rwm]{1,3}$/.test(word);
  const destination = isMode(second) ? undefined : second;
  const mode = isMode(second) ? second : third;
  const where = `--device ${text}`;
  if (parts.length > 3 || written === '' || (destination !== undefined && !destination.startsWith('/'))) {
    throw usageError(`${where}: not of the form DEVICE[:PLACE]`, '--device /dev/fuse');
  }
  if (mode !== undefined && !(mode.includes('r') && mode.includes('w'))) {
    throw usageError(
      `${where}: "${mode}" cannot be had: who may read or write the device is up to its owner and mode`,
      `--device ${written}`,
    );
  }
  return { source: deviceAt(written, where), destination: destination ?? resolve('/', written) };
}

function deviceAt(written: string, where: string): string {
  const source = resolve('/', written);
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat?.isCharacterDevice() || stat?.isBlockDevice() || stat?.isDirectory()) return source;
  if (stat || lstatSync(source, { throwIfNoEntry: false })) {
    throw usageError(`${where}: ${source} is no device`, `-v ${source}:${source}`);
  }
  // Only root of the machine may make device nodes: a container can be given only those that are there.
  throw usageError(
    `${where}: there is no ${source} on this machine, and only its administrator can make one`,
    `sudo modprobe MODULE   # or: sudo mknod ${source} c MAJOR MINOR`,
  );
}
