/** The unpacker and the store's hooks, over the rootless namespaces. */
import type { UnpackLimits } from '../image/unpack/limits.ts';
import { createUnpacker, type TreeWorker } from '../image/unpack/start-unpack.ts';
import { startByRootless } from '../image/unpack/unpack-process.ts';
import { removeTreeInside } from '../rootless/enter.ts';
import { DEFAULT_STORE_HOOKS, type StoreHooks } from '../store/layers.ts';
import type { Engine } from './open-engine.ts';
import { requireStore } from './require-store.ts';
import { unpackLimits } from './unpack-limits.ts';
import { workerCommand } from './worker-command.ts';

export function engineUnpacker(engine: Engine): TreeWorker {
  const rootless = engine.rootless();
  let limits: UnpackLimits | undefined;
  const worker = createUnpacker({
    start: startByRootless(rootless),
    workerCommand: workerCommand('unpack', 'unpack-worker'),
    singleUid: rootless.maps.single,
    rootless: rootless.maps.single ? undefined : rootless,
    // The store syncs a layer itself when it is sealed, while the next one is being unpacked.
    sync: false,
    limits: () => limits,
  });
  return {
    ...worker,
    async prepare() {
      requireStore(engine.paths, rootless);
      limits ??= await unpackLimits();
      await worker.prepare();
    },
  };
}

export const engineHooks = (engine: Engine): StoreHooks => ({
  ...DEFAULT_STORE_HOOKS,
  removeTree: async (path) => removeTreeInside(engine.rootless(), [path]),
});
