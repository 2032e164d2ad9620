/**
 * Use case: `tsrun top`: the processes of a container, so that the image needs no ps. Ids are shown as the container has them; `h…` are
 * this machine's.
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { CAPABILITIES } from '../launch/capabilities.ts';
import { readInLayers } from '../rootfs/read-in-layers.ts';
import { type IdMap, toContainer } from '../rootless/id-map.ts';
import { readIdMap } from '../rootless/read-id-map.ts';
import { type ContainerView, notRunning } from './container-view.ts';
import { endedMeanwhile } from './ended-meanwhile.ts';
import type { Engine } from './open-engine.ts';
import { type ProcessFacts, processesOf, statField, TICKS } from './process-facts.ts';

/** What is known of the container that they are in. */
interface Surroundings {
  uids: IdMap;
  gids: IdMap;
  users: ReadonlyMap<number, string>;
  groups: ReadonlyMap<number, string>;
  hostUsers: ReadonlyMap<number, string>;
  hostGroups: ReadonlyMap<number, string>;
  /** Pid on this machine → pid in the container. */
  pids: ReadonlyMap<number, number>;
}

interface Column {
  heading: string;
  read(facts: ProcessFacts, around: Surroundings): string;
}

const words = (facts: ProcessFacts, name: string): string[] => (facts.status.get(name) ?? '').split(/\s+/);

/** As Go writes a duration: `2h3m4s`. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return `${h > 0 ? `${h}h` : ''}${whole >= 60 ? `${m}m` : ''}${s}s`;
}

const elapsed = (facts: ProcessFacts): number => uptime() - statField(facts, 22) / TICKS;
const cpuSeconds = (facts: ProcessFacts): number => (statField(facts, 14) + statField(facts, 15)) / TICKS;

/** @param which 0 real, 1 effective */
function userOf(facts: ProcessFacts, { uids, users }: Surroundings, which: 0 | 1): string {
  const id = toContainer(uids, Number(words(facts, 'Uid')[which]));
  return id === undefined ? '?' : (users.get(id) ?? String(id));
}

function groupNames(ids: readonly string[], { gids, groups }: Surroundings): string {
  return ids
    .filter((id) => id !== '')
    .map((id) => toContainer(gids, Number(id)))
    .map((id) => (id === undefined ? '?' : (groups.get(id) ?? String(id))))
    .join(',');
}

function terminal(facts: ProcessFacts): string {
  const device = statField(facts, 7);
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return ((device >> 8) & 0xfff) === 136 ? `pts/${minor}` : '?';
}

/** Of SELinux or AppArmor (lsm(7)); `?` on a machine without one, or of a process that may not be asked. */
function securityLabel({ pid }: ProcessFacts): string {
  try {
    return readFileSync(`/proc/${pid}/attr/current`, 'utf8').replace(/[\0\n]+$/, '') || '?';
  } catch {
    return '?';
  }
}

function capabilities(facts: ProcessFacts, set: string): string {
  const mask = BigInt(`0x${facts.status.get(set) ?? '0'}`);
  const held = CAPABILITIES.filter((_name, i) => (mask >> BigInt(i)) & 1n);
  if (held.length === 0) return 'none';
  return held.length === CAPABILITIES.length
    ? 'full'
    : held.map((name) => name.replace(/^CAP_/, '')).join(',');
}

const SECCOMP = ['disabled', 'strict', 'filter'];
const hostName = (names: ReadonlyMap<number, string>, id: string | undefined): string =>
  names.get(Number(id)) ?? id ?? '?';

/** Descriptors, as podman has them. */
export const TOP_COLUMNS: Readonly<Record<string, Column>> = {
  user: { heading: 'USER', read: (f, s) => userOf(f, s, 1) },
  ruser: { heading: 'RUSER', read: (f, s) => userOf(f, s, 0) },
  uid: { heading: 'UID', read: (f, s) => String(toContainer(s.uids, Number(words(f, 'Uid')[1])) ?? '?') },
  group: { heading: 'GROUP', read: (f, s) => groupNames([words(f, 'Gid')[1] ?? ''], s) },
  rgroup: { heading: 'RGROUP', read: (f, s) => groupNames([words(f, 'Gid')[0] ?? ''], s) },
  groups: { heading: 'GROUPS', read: (f, s) => groupNames(words(f, 'Groups'), s) },
  huser: { heading: 'HUSER', read: (f, s) => hostName(s.hostUsers, words(f, 'Uid')[1]) },
  hgroup: { heading: 'HGROUP', read: (f, s) => hostName(s.hostGroups, words(f, 'Gid')[1]) },
  hgroups: {
    heading: 'HGROUPS',
    read: (f, s) =>
      words(f, 'Groups')
        .filter(Boolean)
        .map((id) => hostName(s.hostGroups, id))
        .join(','),
  },
  pid: { heading: 'PID', read: (f) => words(f, 'NSpid').at(-1) ?? '?' },
  hpid: { heading: 'HPID', read: (f) => f.status.get('Pid') ?? '?' },
  ppid: { heading: 'PPID', read: (f, s) => String(s.pids.get(statField(f, 4)) ?? 0) },
  pgid: { heading: 'PGID', read: (f) => words(f, 'NSpgid').at(-1) ?? '?' },
  pcpu: {
    heading: '%CPU',
    read: (f) => ((100 * cpuSeconds(f)) / Math.max(elapsed(f), 1 / TICKS)).toFixed(3),
  },
  etime: { heading: 'ELAPSED', read: (f) => duration(elapsed(f)) },
  time: { heading: 'TIME', read: (f) => duration(cpuSeconds(f)) },
  stime: {
    heading: 'STIME',
    read: (f) => new Date(Date.now() - elapsed(f) * 1000).toISOString().slice(11, 19),
  },
  tty: { heading: 'TTY', read: terminal },
  args: { heading: 'COMMAND', read: (f) => f.args },
  comm: { heading: 'COMMAND', read: (f) => f.status.get('Name') ?? '?' },
  nice: { heading: 'NI', read: (f) => String(statField(f, 19)) },
  rss: { heading: 'RSS', read: (f) => (f.status.get('VmRSS') ?? '0').replace(/ kB$/, '') },
  vsz: { heading: 'VSZ', read: (f) => (f.status.get('VmSize') ?? '0').replace(/ kB$/, '') },
  state: { heading: 'STATE', read: (f) => f.stat[0] ?? '?' },
  label: { heading: 'LABEL', read: securityLabel },
  seccomp: { heading: 'SECCOMP', read: (f) => SECCOMP[Number(f.status.get('Seccomp') ?? 0)] ?? '?' },
  capeff: { heading: 'EFFECTIVE CAPS', read: (f) => capabilities(f, 'CapEff') },
  capprm: { heading: 'PERMITTED CAPS', read: (f) => capabilities(f, 'CapPrm') },
  capinh: { heading: 'INHERITED CAPS', read: (f) => capabilities(f, 'CapInh') },
  capbnd: { heading: 'BOUNDING CAPS', read: (f) => capabilities(f, 'CapBnd') },
  capamb: { heading: 'AMBIENT CAPS', read: (f) => capabilities(f, 'CapAmb') },
};

export const DEFAULT_TOP = ['user', 'pid', 'ppid', 'pcpu', 'etime', 'tty', 'time', 'args'];

/** `name:x:number:…` of passwd(5) and group(5). */
function namesIn(text: string | undefined): Map<number, string> {
  const names = new Map<number, string>();
  for (const [name = '', , id] of (text ?? '').split('\n').map((line) => line.split(':')))
    if (id !== undefined && !names.has(Number(id))) names.set(Number(id), name);
  return names;
}

function surroundings(init: number, processes: readonly ProcessFacts[]): Surroundings {
  const root = [`/proc/${init}/root`];
  return {
    uids: readIdMap(init, 'uid_map'),
    gids: readIdMap(init, 'gid_map'),
    users: namesIn(readInLayers(root, '/etc/passwd')),
    groups: namesIn(readInLayers(root, '/etc/group')),
    hostUsers: namesIn(readInLayers(['/'], '/etc/passwd')),
    hostGroups: namesIn(readInLayers(['/'], '/etc/group')),
    pids: new Map(processes.map((f) => [Number(f.status.get('Pid')), Number(words(f, 'NSpid').at(-1))])),
  };
}

/**
 * @param descriptors names of {@link TOP_COLUMNS}. @returns the headings, and a row for each process
 * @throws ERR_TSRUN_CONTAINER_STATE when the container does not run
 */
export function containerProcesses(
  engine: Engine,
  view: ContainerView,
  descriptors: readonly string[],
): string[][] {
  try {
    return processTable(view, descriptors);
  } catch (error) {
    throw endedMeanwhile(engine, view) ?? error;
  }
}

function processTable(view: ContainerView, descriptors: readonly string[]): string[][] {
  const { init } = view.state;
  if (!init) throw notRunning(view);
  const columns = descriptors.flatMap((descriptor) => TOP_COLUMNS[descriptor] ?? []);
  const processes = processesOf(init.pid);
  const around = surroundings(init.pid, processes);
  return [
    columns.map(({ heading }) => heading),
    ...processes.map((facts) => columns.map((column) => column.read(facts, around))),
  ];
}
