/** Use case: `tsrun system check`: looks at everything in the store, and tells what is damaged. */
import type { Engine } from '../open-engine.ts';
import { engineUnpacker } from '../unpacker.ts';
import { checkBlobs, checkImages } from './check-blobs.ts';
import { checkContainers, checkVolumes } from './check-containers.ts';
import { LayerCheck } from './check-layers.ts';
import { type CheckOptions, Findings } from './damage.ts';

/**
 * Blobs before the images and layers that are made of them, and those before the containers that stand on them. Throws only what keeps it from
 * looking at all, such as namespaces that cannot be entered.
 */
export async function checkStore(engine: Engine, options: CheckOptions): Promise<Findings> {
  const findings = new Findings(options);
  const lost = await checkBlobs(engine, findings, options);
  if (options.repair && lost.size > 0) {
    const { fetchLost } = await import('./fetch-lost.ts');
    await fetchLost(engine, lost);
  }
  await checkImages(engine, findings);
  const worker = engineUnpacker(engine);
  try {
    await new LayerCheck(engine, findings, options, worker).run();
  } finally {
    await worker.close();
  }
  await checkContainers(engine, findings);
  await checkVolumes(engine, findings);
  return findings;
}
