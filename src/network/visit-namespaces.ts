/** Steps of a process that enters the bridges' network namespace, and then a running container's, to change what is in them. */
import { call } from '../sys/calls.ts';
import { AT_FDCWD, CLONE_NEWNET, O_CLOEXEC, O_RDONLY } from '../sys/constants.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';
import { routeSocket } from './netlink.ts';

const actor = 'rootless';

/** @param netns descriptor of the bridges' namespace; @param act is given a netlink socket in it */
export function visitBridges(slots: Slots, netns: number, act: (route: Slot) => readonly Step[]): Step[] {
  const route = slots.new('hub.route');
  return [
    call(actor, 'enter the bridges’ namespace', 'setns', [netns, CLONE_NEWNET]),
    routeSocket(actor, 'talk about links there', route),
    ...act(route),
  ];
}

/** @param pid of the container's init; @param act is given a netlink socket in its namespace */
export function visitContainer(slots: Slots, pid: number, act: (route: Slot) => readonly Step[]): Step[] {
  const route = slots.new('container.route');
  const file = slots.new('netns');
  const path = `/proc/${pid}/ns/net`;
  return [
    call(actor, 'the container’s namespace', 'openat', [AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0], {
      result: file,
    }),
    call(actor, 'enter it', 'setns', [file, CLONE_NEWNET]),
    routeSocket(actor, 'talk about addresses there', route),
    ...act(route),
  ];
}
