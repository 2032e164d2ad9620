/**
 * Stage 1: an ordinary user becomes root in a user namespace of their own, with a mount namespace that they may change.
 *
 *     user (tsrun, in Node)                          child
 *       | clone3(CLONE_NEWUSER | CLONE_NEWNS) ------> |
 *       |                                             | read(barrier)
 *       | newuidmap PID 0 UID 1 1 SUBUID COUNT        |   an unmapped process has no uid 0 yet
 *       | newgidmap PID 0 GID 1 1 SUBGID COUNT        |   (both at the same time)
 *       | write(barrier) ---------------------------> | mount / as a slave of the host's: our mounts stay here, the host's arrive
 *       |                                             | … the caller's steps …
 *
 * The map can only be written from outside, and ranges beyond the user's own id only by the setuid helpers newuidmap(1) and
 * newgidmap(1), which check /etc/subuid. Without subordinate ids the user writes the one-line map alone, after giving up
 * setgroups(2) (user_namespaces(7), CVE-2014-8989). If the user is killed before the last write, the child reads end-of-file and fails.
 */

import { call, close, op, pipe, writeFile } from '../sys/calls.ts';
import {
  CLONE_NEWNS,
  CLONE_NEWUSER,
  CLONE_VFORK,
  CLONE_VM,
  MFD_CLOEXEC,
  MS_REC,
  MS_SLAVE,
  O_CLOEXEC,
  SIGCHLD,
} from '../sys/constants.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';
import { waitForSuccess } from '../sys/wait.ts';
import { type IdMap, type IdMaps, mapArguments, mapLines } from './id-map.ts';

/** What a way into the namespaces needs to know. */
export interface Entry {
  slots: Slots;
  /** The child's pidfd, for waiting. */
  pidfd: Slot;
  pid: Slot;
  /** Write end of the report pipe (a slot of the caller's): where the child says which step failed. */
  report: Slot;
  /** Receives the stderr of newuidmap and newgidmap (a memfd). */
  helperOutput: Slot;
  /** What to do inside. Must end with execve or exit. */
  inside: readonly Step[];
}

/** What mapping the ids of a process needs. */
export type MapEntry = Pick<Entry, 'pid' | 'helperOutput'> & Partial<Pick<Entry, 'report'>>;

/** @returns the steps of the user; the child's are in the clone */
export function createNamespaces(maps: IdMaps & { single: boolean }, entry: Entry): Step[] {
  const { slots, pid, pidfd, report } = entry;
  const barrierRead = slots.new('barrier.r');
  const barrierWrite = slots.new('barrier.w');
  const got = slots.new('got');
  const child: Step[] = [
    op('rootless', 'say which step failed', { kind: 'report', fd: report }),
    close('rootless', 'see the end of the barrier if the user is killed', barrierWrite),
    call('rootless', 'wait until the ids are mapped', 'read', [barrierRead, { buffer: 8 }, 1], {
      result: got,
      retry: true,
    }),
    op('rootless', 'go on only if they were', { kind: 'expect', value: got, equals: 1, errno: 'EPIPE' }),
    call('rootless', 'let mounts of the host arrive here, and none of ours leave', 'mount', [
      0,
      '/',
      0,
      MS_REC | MS_SLAVE,
      0,
    ]),
    ...entry.inside,
  ];
  return [
    pipe('user', 'hold the child back until its ids are mapped', barrierRead, barrierWrite, O_CLOEXEC),
    op(
      'user',
      'become root in a user namespace, with mounts of its own',
      { kind: 'clone', flags: CLONE_NEWUSER | CLONE_NEWNS, exitSignal: SIGCHLD, pidfd, child },
      { result: pid },
    ),
    close('user', 'the child has its copy', barrierRead),
    ...(maps.single ? mapSelf(maps, pid, slots) : mapWithHelpers(maps, entry)),
    call('user', 'let the child go on', 'write', [barrierWrite, 'x', 1]),
    close('user', 'the barrier is done', barrierWrite),
  ];
}

type Helper = 'newuidmap' | 'newgidmap';

/** Both at the same time: each takes 2 ms, and neither needs the other's map. */
function mapWithHelpers(maps: IdMaps, entry: Entry): Step[] {
  const helpers = helpersOf(entry.slots);
  return [
    ...startHelpers(maps, entry, helpers),
    ...awaitHelper('newuidmap', entry.slots, helpers),
    ...awaitHelper('newgidmap', entry.slots, helpers),
  ];
}

/** Their pidfds. */
type Helpers = Record<Helper, Slot>;

export const helpersOf = (slots: Slots): Helpers => ({
  newuidmap: slots.new('newuidmap'),
  newgidmap: slots.new('newgidmap'),
});

export const startHelpers = (maps: IdMaps, entry: MapEntry, helpers: Helpers): Step[] => [
  call('user', 'keep what the helpers say', 'memfd_create', ['helpers', MFD_CLOEXEC], {
    result: entry.helperOutput,
  }),
  ...startHelper('newuidmap', maps.uids, entry, helpers.newuidmap),
  ...startHelper('newgidmap', maps.gids, entry, helpers.newgidmap),
];

const awaitHelper = (name: Helper, slots: Slots, helpers: Helpers): Step[] => [
  ...waitForSuccess('user', `wait for ${name}`, helpers[name], slots),
  close('user', `${name} is done`, helpers[name]),
];

/** vfork-style: the child shares our memory until it has execve'd, which costs a fraction of a copy of Node. */
function startHelper(name: Helper, map: IdMap, entry: MapEntry, helper: Slot): Step[] {
  const argv = { strings: [name, { text: [entry.pid] }, ...mapArguments(map)] };
  const last = `/bin/${name}`;
  const { report } = entry;
  const child: Step[] = [
    ...(report ? [op('user', 'say which step failed', { kind: 'report', fd: report })] : []),
    call('user', 'keep its words', 'dup3', [entry.helperOutput, 2, 0]),
    call('user', 'keep its words', 'dup3', [entry.helperOutput, 1, 0]),
    call(
      'user',
      `map ids: ${mapArguments(map).join(' ')}`,
      'execve',
      [`/usr/bin/${name}`, argv, { strings: [] }],
      {
        tolerate: ['ENOENT'],
      },
    ),
    call('user', 'where older systems have it', 'execve', [last, argv, { strings: [] }]),
  ];
  const what = {
    kind: 'clone',
    flags: CLONE_VM | CLONE_VFORK,
    exitSignal: SIGCHLD,
    pidfd: helper,
    child,
  } as const;
  return [op('user', `run ${name}, which may map the subordinate ids`, what)];
}

function mapSelf(maps: IdMaps, pid: Slot, slots: Slots): Step[] {
  const write = (file: string, value: string, why: string): Step[] =>
    writeFile('user', slots, { path: { text: ['/proc/', pid, `/${file}`] }, value, why });
  return [
    ...write('setgroups', 'deny', 'give up setgroups(2), so that no group can be dropped to gain access'),
    ...write('uid_map', mapLines(maps.uids), 'map container 0 to the user, the only id there is'),
    ...write('gid_map', mapLines(maps.gids), 'map group 0 to the user’s group'),
  ];
}
