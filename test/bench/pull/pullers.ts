/** Who pulls, each into a store that is not there yet. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestImageName } from '../../support/images.ts';
import type { Engine, EngineName } from '../engine.ts';
import { type Command, CommandFailure } from '../process.ts';
import { mustRun, type Room } from '../room.ts';

export interface Puller {
  name: EngineName;
  label: string;
  /** Wall clock, in milliseconds. @throws CommandFailure */
  pull(directory: string, image: TestImageName): Promise<number>;
  remove(directory: string): Promise<void>;
}

const enginePuller = (engine: Engine): Puller => ({
  name: engine.name,
  label: engine.label,
  pull: async (directory, image) => (await engine.pullInto(directory, image)).ms,
  remove: (directory) => engine.removeStore(directory),
});

/** A layout and a bundle: an image's blobs and one unpacked root, which is less than a store of layers is. */
const SKOPEO_AND_UMOCI = `mkdir "$1"
skopeo --insecure-policy copy --quiet --src-tls-verify=false "docker://$2" "oci:$1/layout:latest"
umoci unpack --rootless --image "$1/layout:latest" "$1/bundle"`;

async function skopeoAndUmoci(room: Room, reference: (image: string) => string): Promise<Puller> {
  const { env } = room;
  const run = async (...argv: string[]): Promise<number> =>
    (await mustRun(room, { argv, env } as Command)).ms;
  await run('sh', '-c', 'skopeo --version && umoci --version');
  return {
    name: 'skopeo',
    label: 'skopeo + umoci',
    pull: (directory, image) => run('sh', '-ec', SKOPEO_AND_UMOCI, 'sh', directory, reference(image)),
    remove: async (directory) => {
      await run('chmod', '-R', 'u+rwX', directory);
      await run('rm', '-rf', directory);
    },
  };
}

export interface Pullers {
  pullers: Puller[];
  missing: string[];
}

/** @param engines tsrun first, whose room is the benchmark's own */
export async function makePullers(engines: readonly Engine[]): Promise<Pullers> {
  const pullers = engines.map(enginePuller);
  const [own] = engines;
  if (own === undefined) return { pullers, missing: [] };
  try {
    pullers.push(await skopeoAndUmoci(own.room, (image) => own.reference(image)));
    return { pullers, missing: [] };
  } catch (error) {
    const why = error instanceof CommandFailure ? error.message : String(error);
    return { pullers, missing: [`skopeo + umoci: ${why}`] };
  }
}

/** Removes what a pull left, if it left anything. */
export async function removeIfThere(puller: Puller, directory: string): Promise<void> {
  const isThere = await access(directory).then(
    () => true,
    () => false,
  );
  if (isThere) await puller.remove(directory);
}

export const storeOf = (scratch: string, puller: Puller, count: number): string =>
  join(scratch, `store-${puller.name}-${count}`);
