/**
 * Who has a port that cannot be bound (NET-6): found in /proc/net (proc_net(5)) and the descriptors of processes that may be looked
 * into. Never throws: what cannot be read is left out, and the error is told without it.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { FD_DIRECTORY } from '../supervisor/protocol.ts';
import type { PortMapping } from './driver.ts';

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // it has ended, or belongs to somebody else
  }
}

interface Socket {
  inode: string;
  uid: number;
}

const TCP_LISTEN = '0A';

/** Sockets in the text of /proc/net/tcp, udp and their IPv6 twins that listen at `port`. */
export function socketsAt(text: string, port: number, protocol: PortMapping['protocol']): Socket[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local, , state]) => local?.endsWith(`:${hex}`) && (protocol === 'udp' || state === TCP_LISTEN),
    )
    .map((field) => ({ inode: field[9] ?? '', uid: Number(field[7]) }));
}

function processWith(inode: string): number | undefined {
  const wanted = `socket:[${inode}]`;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .map(Number)
    .find((pid) =>
      attempt(() => readdirSync(`/proc/${pid}/fd`))?.some(
        (fd) => attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === wanted,
      ),
    );
}

const read = (path: string): string => attempt(() => readFileSync(path, 'utf8')) ?? '';

/** The container whose ports the process `pid` forwards: the supervisor, its parent, has the container's directory open. */
function containerOf(pid: number): string | undefined {
  const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
  const directory = attempt(() => readlinkSync(`/proc/${parent}/fd/${FD_DIRECTORY}`));
  return directory && /^[0-9a-f]{64}$/.test(basename(directory))
    ? basename(directory).slice(0, 12)
    : undefined;
}

/** `container 6f770c370598`, `nginx (process 4711)`, `a process of user 0`; undefined when nobody is found. */
export function portHolder({ hostPort, protocol }: PortMapping): string | undefined {
  const tables = [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].map(read);
  const [socket] = tables.flatMap((text) => socketsAt(text, hostPort, protocol));
  if (!socket) return undefined;
  const pid = processWith(socket.inode);
  if (pid === undefined) return `a process of user ${socket.uid}`;
  const container = containerOf(pid);
  return container ? `container ${container}` : `${read(`/proc/${pid}/comm`).trim()} (process ${pid})`;
}
