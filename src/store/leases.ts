/**
 * <runtime>/network/leases/<network's number>/<address>: a symbolic link, whose making is exclusive and takes its whole content along:
 * `<container id>.<pid>.<start time>`, the container that has the address and the process that claimed it for it.
 *
 * A lease is alive while that process is, or the container's supervisor. Dead ones are taken over when an address is asked for by name,
 * or when no other is left. The directory is gone at reboot, as the containers are.
 */
import { readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { IpAddress } from '../network/ip-address.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { isAlive, startTimeOf } from '../sys/process.ts';
import { readContainerState } from './container-state.ts';
import { type FileLock, tryLock, waitForLock } from './lock.ts';
import { namesIn } from './names-in.ts';
import { leasesDirectory, type StorePaths } from './paths.ts';

/** IPv6 addresses have colons, which are fine in a name. */
const leasePath = (paths: StorePaths, network: number, address: IpAddress): string =>
  join(leasesDirectory(paths), String(network), address);

interface Lease {
  container: string;
  claimant: { pid: number; startTime: number };
}

function readLease(path: string): Lease | undefined {
  try {
    const [container = '', pid, startTime] = readlinkSync(path).split('.');
    return { container, claimant: { pid: Number(pid), startTime: Number(startTime) } };
  } catch {
    return undefined; // released in the meantime
  }
}

function isLive(paths: StorePaths, { container, claimant }: Lease): boolean {
  if (isAlive(claimant)) return true;
  const { supervisor, init } = readContainerState(paths, container);
  return supervisor !== undefined || init !== undefined;
}

/** Locks the leases of all networks for the moments of a choice. */
export async function lockLeases(paths: StorePaths): Promise<FileLock> {
  const path = join(leasesDirectory(paths), 'lock');
  return tryLock(path) ?? (await waitForLock(path));
}

/** Addresses of the network that somebody has, or had. */
export function leasedAddresses(paths: StorePaths, network: number): Set<IpAddress> {
  return new Set(namesIn(join(leasesDirectory(paths), String(network))));
}

/** The containers that have, or had, an address of any network. */
export function leaseContainers(paths: StorePaths): string[] {
  const directory = leasesDirectory(paths);
  const networks = namesIn(directory).filter((name) => /^\d+$/.test(name));
  const links = networks.flatMap((network) =>
    namesIn(join(directory, network)).map((name) => join(directory, network, name)),
  );
  return [...new Set(links.flatMap((path) => readLease(path)?.container ?? []))];
}

/** All that the container has, or had, of any network. */
export function leasesOf(paths: StorePaths, container: string): { network: number; address: IpAddress }[] {
  const networks = namesIn(leasesDirectory(paths))
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return networks.flatMap((network) =>
    [...leasedAddresses(paths, network)]
      .filter((address) => readLease(leasePath(paths, network, address))?.container === container)
      .map((address) => ({ network, address })),
  );
}

/** The container that has the address, or undefined when nobody (alive) has. */
export function leaseHolder(paths: StorePaths, network: number, address: IpAddress): string | undefined {
  const lease = readLease(leasePath(paths, network, address));
  return lease && isLive(paths, lease) ? lease.container : undefined;
}

/** Takes the address for the container, if nobody else alive has it. With the lock. @returns whether it did */
export function takeLease(
  paths: StorePaths,
  network: number,
  address: IpAddress,
  container: string,
): boolean {
  const path = leasePath(paths, network, address);
  const lease = readLease(path);
  if (lease && lease.container !== container && isLive(paths, lease)) return false;
  makeDirectories(join(path, '..'), 0o700);
  rmSync(path, { force: true });
  symlinkSync(`${container}.${process.pid}.${startTimeOf(process.pid)}`, path);
  return true;
}

/** Gives an address back. With the lock, or when nobody can want it. */
export function releaseLease(
  paths: StorePaths,
  network: number,
  address: IpAddress,
  container: string,
): void {
  const path = leasePath(paths, network, address);
  if (readLease(path)?.container === container) unlinkSync(path);
}

/** Forgets all leases of a network that is no more: nobody is connected to it. */
export const forgetLeases = (paths: StorePaths, network: number): void =>
  rmSync(join(leasesDirectory(paths), String(network)), { recursive: true, force: true });

/** Forgets the leases of the dead. With the lock. */
export function sweepLeases(paths: StorePaths, network: number): void {
  for (const address of leasedAddresses(paths, network)) {
    const path = leasePath(paths, network, address);
    const lease = readLease(path);
    if (lease && !isLive(paths, lease)) unlinkSync(path);
  }
}
