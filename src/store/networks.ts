/**
 * networks/<name>.json: bridge networks. A name is claimed by exclusive creation (link(2) of a complete file). What containers have of
 * them at the moment is not in here: see leases.ts.
 */
import { linkSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { BridgeNetwork } from '../network/bridge-network.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { writeDurably, writeFileAtomic } from './atomic-write.ts';
import { networkPath, networksDirectory, type StorePaths } from './paths.ts';
import { temporaryPath } from './temporary.ts';

/** As long as a container's at most: with `.json` it has to be the name of a file. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
export const isNetworkName = (name: string): boolean => NAME.test(name);

/** The network `name`; undefined when there is none, or its file is damaged. */
export function readNetwork(paths: StorePaths, name: string): BridgeNetwork | undefined {
  if (!isNetworkName(name)) return undefined;
  try {
    const value = JSON.parse(readFileSync(networkPath(paths, name), 'utf8')) as BridgeNetwork | null;
    return typeof value?.number === 'number' && value.name === name ? value : undefined;
  } catch {
    return undefined;
  }
}

/** All networks that were made, by name. */
export function listNetworks(paths: StorePaths): BridgeNetwork[] {
  let files: string[];
  try {
    files = readdirSync(networksDirectory(paths));
  } catch {
    return []; // no directory: none was ever made
  }
  return files
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) => readNetwork(paths, file.slice(0, -'.json'.length)) ?? []);
}

/** @returns false when there is one of that name already */
export function createNetwork(paths: StorePaths, network: BridgeNetwork): boolean {
  const making = temporaryPath(paths, 'network');
  writeDurably(making, JSON.stringify(network));
  makeDirectories(networksDirectory(paths), 0o700);
  try {
    linkSync(making, networkPath(paths, network.name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(making, { force: true });
  }
}

/** Puts another definition in the place of one that is there. */
export function replaceNetwork(paths: StorePaths, network: BridgeNetwork): void {
  makeDirectories(networksDirectory(paths), 0o700);
  writeFileAtomic(paths, networkPath(paths, network.name), JSON.stringify(network));
}

export const removeNetwork = (paths: StorePaths, name: string): void =>
  rmSync(networkPath(paths, name), { force: true });
