/**
 * Becoming a member of the hub of the user's bridge networks (hub-member.ts): of the one that runs, or of one that is started. One command
 * at a time starts one (start-hub.ts); a connection to a hub that ends at this very moment is none, and starts another.
 */
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hello } from '../network/hub-protocol.ts';
import { tryLock, waitForLock } from '../store/lock.ts';
import { hubDirectory } from '../store/paths.ts';
import { call } from '../sys/calls.ts';
import { AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_SEQPACKET } from '../sys/constants.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { nativeRunner, SyscallFailure } from '../sys/run.ts';
import { Slots } from '../sys/step.ts';
import { HUB_LOG, hubAddress } from './hub-files.ts';
import { type Given, HubMember, hearHub } from './hub-member.ts';
import type { HubNeeds } from './hub-needs.ts';
import { moveDefaultNetwork } from './networks.ts';
import type { Engine } from './open-engine.ts';

/** @throws ERR_TSRUN_HUB, ERR_TSRUN_NAMESPACES */
export async function joinHub(engine: Engine, needs: HubNeeds): Promise<HubMember> {
  const path = hubDirectory(engine.paths);
  makeDirectories(path, 0o700);
  const directory = openSync(path, 'r');
  try {
    const running = sayHello(directory, join(path, HUB_LOG));
    if (running) return running;
    const lockPath = join(path, 'lock');
    using _lock = tryLock(lockPath) ?? (await waitForLock(lockPath));
    const started = sayHello(directory, join(path, HUB_LOG));
    if (started) return started;
    moveDefaultNetwork(engine);
    return await (await import('./start-hub.ts')).startHub(engine, needs, directory, path);
  } finally {
    closeSync(directory);
  }
}

/** The running hub, when there is one; without waiting for a lock, and without starting one. */
export function findHub(engine: Engine): HubMember | undefined {
  const path = hubDirectory(engine.paths);
  if (!statSync(path, { throwIfNoEntry: false })) return undefined;
  const directory = openSync(path, 'r');
  try {
    return sayHello(directory, join(path, HUB_LOG));
  } finally {
    closeSync(directory);
  }
}

function sayHello(directory: number, logPath: string): HubMember | undefined {
  const slots = new Slots();
  const connection = slots.new('connection');
  const { memory, size } = hubAddress(directory);
  const steps = [
    call('user', 'a socket', 'socket', [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0], { result: connection }),
    call('user', 'is there a hub?', 'connect', [connection, memory, size]),
  ];
  try {
    const fd = nativeRunner.run({ slots, steps })(connection);
    const given = askHub(fd);
    if (given) return new HubMember(fd, given, logPath);
    closeSync(fd);
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    const fd = error.results(connection);
    if (fd >= 0) closeSync(fd);
  }
  return undefined;
}

/** HELLO, and what it is answered with. Undefined when the hub has just ended. */
function askHub(connection: number): Given | undefined {
  const greeting = call('user', 'say hello', 'sendto', [connection, hello(), 4, MSG_NOSIGNAL, 0, 0]);
  return hearHub(connection, [greeting]);
}
