/** The hub of the bridge networks of a test's store, and its uplink. */
import { readlinkSync } from 'node:fs';
import { allProcesses, isRunning, parentOf } from './container-processes.ts';
import type { Tsrun } from './tsrun.ts';

/** HUB_FD_LOG of native/hub/protocol.h: a file of the store that the hub serves. */
const LOG = 6;

function servesStore(pid: number, directory: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${LOG}`).startsWith(`${directory}/`);
  } catch {
    return false; // gone, or another user's
  }
}

/** Those of this test's store that run; there is at most one. */
export const hubsOf = (tsrun: Tsrun): number[] =>
  allProcesses().flatMap(({ pid, name }) =>
    /hub/.test(name) && servesStore(pid, tsrun.store.directory) && isRunning(pid) ? [pid] : [],
  );

/** The running children of the hub that have that name: `slirp4netns` or `tsrun-outward`. */
export const halvesOf = (hub: number, half: string): number[] =>
  allProcesses().flatMap(({ pid, name }) =>
    name === half && parentOf(pid) === hub && isRunning(pid) ? [pid] : [],
  );

/** slirp4netns, a child of the hub. */
export const uplinkOf = (hub: number): number | undefined => halvesOf(hub, 'slirp4netns')[0];
