/**
 * What a test file may leave on the machine, and must not: processes, mounts, temporary directories.
 *
 * On a machine of one's own (CI) every new process of this user or of his subordinate ids counts, except vitest's. Elsewhere the user
 * may do other things meanwhile, so only processes count that belong to a store of the test: by their environment, arguments,
 * working directory, open files or mounts.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { liveStores } from './store.ts';

export interface Machine {
  processes: ReadonlySet<number>;
  mounts: ReadonlySet<string>;
}

/** Reads a file of /proc; '' when the process is gone or another user's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

const field = (status: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? -1);

function isOurs(uid: number): boolean {
  const { uid: own, username } = userInfo();
  if (uid === own) return true;
  return read('/etc/subuid')
    .split('\n')
    .map((line) => line.split(':'))
    .some(
      ([owner, first, count]) =>
        (owner === username || owner === String(own)) &&
        uid >= Number(first) &&
        uid < Number(first) + Number(count),
    );
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Processes of this user that are no zombies and none of vitest's own. */
function ownProcesses(): number[] {
  const vitest = process.ppid;
  return pids().filter((pid) => {
    const status = read(`/proc/${pid}/status`);
    if (pid === vitest || pid === process.pid || field(status, 'PPid') === vitest) return false;
    return isOurs(field(status, 'Uid')) && !/^State:\s+[ZX]/m.test(status);
  });
}

/**
 * Of the host's mount namespace. There an ordinary user can mount by fusermount(1) only, which says for whom; what others mount
 * meanwhile is none of ours.
 */
const mounts = (): Set<string> =>
  new Set(
    read('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(`user_id=${userInfo().uid},`)),
  );

export const lookAtMachine = (): Machine => ({ processes: new Set(ownProcesses()), mounts: mounts() });

function links(pid: number): string[] {
  try {
    const paths = [
      `/proc/${pid}/cwd`,
      ...readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`),
    ];
    return paths.map((path) => {
      try {
        return readlinkSync(path);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

function mentions(pid: number, stores: Iterable<string>): boolean {
  const texts = ['environ', 'cmdline', 'mountinfo'].map((name) => read(`/proc/${pid}/${name}`));
  const all = [...texts, ...links(pid)].join('\n');
  return [...stores].some((store) => all.includes(store));
}

const belongsToStore = (pid: number): boolean => mentions(pid, everyStore);

export interface StoreProcess {
  pid: number;
  command: string;
}

/** The processes that belong to the store in `directory`. */
export const processesOfStore = (directory: string): StoreProcess[] =>
  ownProcesses()
    .filter((pid) => mentions(pid, [directory]))
    .map((pid) => ({ pid, command: commandOf(pid) }));

/** Stores of this file, removed ones too: liveStores forgets them. */
const everyStore = new Set<string>();

const commandOf = (pid: number): string =>
  read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() || read(`/proc/${pid}/comm`).trim();

const describeProcess = (pid: number): string => `process ${pid}: ${commandOf(pid)}`;

/** What is there now and was not `before`. */
export function leaksSince(before: Machine): string[] {
  for (const store of liveStores) everyStore.add(store);
  const suspects = ownProcesses().filter((pid) => !before.processes.has(pid));
  const processes = process.env.CI ? suspects : suspects.filter(belongsToStore);
  const newMounts = [...mounts()].filter((line) => !before.mounts.has(line));
  const left = [...liveStores].filter((store) => existsSync(store));
  return [
    ...processes.map(describeProcess),
    ...newMounts.map((line) => `mount ${line}`),
    ...left.map((store) => `directory ${store}`),
  ];
}
