/** Use case: `tsrun info`: what this engine would use here, and why. */
import { existsSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { TsrunError } from '../errors.ts';
import { fileSystem } from '../store/file-systems.ts';
import { chooseNetwork } from './container-network.ts';
import { listContainers } from './container-view.ts';
import { defaultNetwork } from './default-network.ts';
import type { Engine } from './open-engine.ts';
import { requireStore } from './require-store.ts';
import { isCannotWrite, knownStorageDriver } from './storage-driver.ts';
import { configuredNetwork } from './with-defaults.ts';

/** Why no image can be unpacked in the store: what a pull would say; undefined where one can, or where nothing can be tried. */
function storeProblem({ paths, rootless }: Engine): string | undefined {
  try {
    requireStore(paths, rootless());
    return undefined;
  } catch (error) {
    if (isCannotWrite(error)) return undefined;
    if (!(error instanceof TsrunError) || error.code !== 'ERR_TSRUN_STORE_FILE_SYSTEM') throw error;
    return `${error.message} (${String(error.cause)})`;
  }
}

/** Where no store can be made, what is above it. */
const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)));

function driverReason(storage: ReturnType<typeof knownStorageDriver>): string {
  if ('untried' in storage) return storage.untried;
  return storage.isForced ? '--storage-driver' : 'the first of overlay, fuse-overlayfs, copy that works here';
}

export async function describeEngine(engine: Engine): Promise<Record<string, unknown>> {
  const { containers, damaged } = listContainers(engine);
  const { maps } = engine;
  const storage = knownStorageDriver(engine.paths, engine.rootless, engine.storageDriver);
  const problem = storeProblem(engine);
  const inPhase = (phase: string): number => containers.filter(({ state }) => state.phase === phase).length;
  const { type, bavail, bsize } = statfsSync(nearest(engine.paths.root));
  return {
    store: {
      root: engine.paths.root,
      runtime: engine.paths.runtime,
      filesystem: fileSystem(type).name,
      freeBytes: bavail * bsize,
      driver: problem === undefined ? storage.driver : '',
      driverReason: problem ?? driverReason(storage),
      rejectedDrivers: storage.rejected,
      images: engine.images.list().length,
    },
    containers: {
      total: containers.length,
      running: inPhase('running'),
      exited: inPhase('exited'),
      created: inPhase('created'),
      damaged,
    },
    network: await describeNetwork(engine),
    idMaps: { uids: maps.uids, gids: maps.gids, singleId: maps.single },
    host: { kernel: release(), architecture: process.arch, node: process.version },
  };
}

async function describeNetwork(engine: Engine): Promise<Record<string, unknown>> {
  const { network, problem } = await defaultNetwork(engine, await configuredNetwork(process.env));
  try {
    const { driver, reason } = chooseNetwork(engine, network, []);
    return { default: driver.name, reason: problem ?? reason };
  } catch (error) {
    // No helper is installed: `--network none` and `host` still work.
    return { default: 'none', reason: error instanceof Error ? error.message : String(error) };
  }
}
