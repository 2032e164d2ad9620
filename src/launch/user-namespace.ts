/**
 * A user namespace of the container's own, nested in that of its supervisor.
 *
 * The new process has every capability in it, but no id yet: it waits until the supervisor, who is root outside, has written the maps.
 * It then goes on under the id that it was made with, to which the sources of mounts are open, and becomes the container's root when it
 * has left the host behind.
 */
import type { RuntimeConfig, RuntimeIdMapping } from '../spec/runtime.ts';
import { call, close, op, pipe, writeFile } from '../sys/calls.ts';
import { O_CLOEXEC } from '../sys/constants.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';

/** Is there to be one? */
export const hasOwnUsers = (config: RuntimeConfig): boolean =>
  config.linux.namespaces.some(({ type, path }) => type === 'user' && path === undefined);

export interface UserNamespaceSteps {
  /** The supervisor's, before the clone. */
  before: Step[];
  /** The child's first ones. */
  child: Step[];
  /** The supervisor's, after the clone. */
  after: Step[];
}

const NONE: UserNamespaceSteps = { before: [], child: [], after: [] };

const mapText = (mappings: readonly RuntimeIdMapping[]): string =>
  mappings.map((m) => `${m.containerID} ${m.hostID} ${m.size}\n`).join('');

function writeMap(
  slots: Slots,
  pid: Slot,
  file: 'uid_map' | 'gid_map',
  mappings: readonly RuntimeIdMapping[],
): Step[] {
  const value = mapText(mappings);
  const why = `${file}: ${value.trim().replaceAll('\n', ', ')}`;
  return writeFile('supervisor', slots, { path: { text: ['/proc/', pid, `/${file}`] }, value, why });
}

/** @param pid slot of the child's pid */
export function userNamespaceSteps(slots: Slots, config: RuntimeConfig, pid: Slot): UserNamespaceSteps {
  if (!hasOwnUsers(config)) return NONE;
  const read = slots.new('ids.r');
  const write = slots.new('ids.w');
  const got = slots.new('got');
  const { uidMappings = [], gidMappings = [] } = config.linux;
  return {
    before: [pipe('supervisor', 'hold the container back until its ids are mapped', read, write, O_CLOEXEC)],
    child: [
      close('container', 'see the end of the pipe if the supervisor is killed', write),
      call('container', 'wait until the ids are mapped', 'read', [read, { buffer: 8 }, 1], {
        result: got,
        retry: true,
      }),
      op('container', 'go on only if they were', { kind: 'expect', value: got, equals: 1, errno: 'EPIPE' }),
      close('container', 'they are', read),
    ],
    after: [
      close('supervisor', 'only the container waits', read),
      ...writeMap(slots, pid, 'uid_map', uidMappings),
      ...writeMap(slots, pid, 'gid_map', gidMappings),
      call('supervisor', 'let the container go on', 'write', [write, 'x', 1]),
      close('supervisor', 'said', write),
    ],
  };
}

/** When nothing of the host is needed any more: what is made from here on is the container's root's. */
export const becomeContainerRoot = (config: RuntimeConfig): Step[] =>
  hasOwnUsers(config)
    ? [
        call(
          'container',
          'files that are made from here on are of the container’s root',
          'setresgid',
          [0, 0, 0],
        ),
        call(
          'container',
          'files that are made from here on are of the container’s root',
          'setresuid',
          [0, 0, 0],
        ),
      ]
    : [];

/** Streams that the command may open again, as /dev/stdout: the supervisor, who may, gives them to its user. */
export function giveStreams(config: RuntimeConfig, streams: readonly Slot[]): Step[] {
  if (!hasOwnUsers(config)) return [];
  const { uid } = config.process.user;
  const entry = config.linux.uidMappings?.find((m) => uid >= m.containerID && uid < m.containerID + m.size);
  if (!entry) return [];
  const owner = entry.hostID + uid - entry.containerID;
  return streams.map((fd) =>
    call('supervisor', 'its user may open it again, as /dev/stdout', 'fchown', [fd, owner, -1]),
  );
}
