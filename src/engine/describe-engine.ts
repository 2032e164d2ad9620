/** Use case: `tsrun info`: what this engine would use here, and why. */
import { statfsSync } from 'node:fs';
import { release } from 'node:os';
import { fileSystem } from '../store/file-systems.ts';
import { chooseNetwork } from './container-network.ts';
import { listContainers } from './container-view.ts';
import { defaultNetwork } from './default-network.ts';
import type { Engine } from './open-engine.ts';
import { knownStorageDriver } from './storage-driver.ts';
import { configuredNetwork } from './with-defaults.ts';

function driverReason(storage: ReturnType<typeof knownStorageDriver>): string {
  if ('untried' in storage) return storage.untried;
  return storage.isForced ? '--storage-driver' : 'the first of overlay, fuse-overlayfs, copy that works here';
}

export async function describeEngine(engine: Engine): Promise<Record<string, unknown>> {
  const { containers, damaged } = listContainers(engine);
  const { maps } = engine;
  const storage = knownStorageDriver(engine.paths, engine.rootless, engine.storageDriver);
  const inPhase = (phase: string): number => containers.filter(({ state }) => state.phase === phase).length;
  const { type, bavail, bsize } = statfsSync(engine.paths.root);
  return {
    store: {
      root: engine.paths.root,
      runtime: engine.paths.runtime,
      filesystem: fileSystem(type).name,
      freeBytes: bavail * bsize,
      driver: storage.driver,
      driverReason: driverReason(storage),
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
