/** What commands that remove images do at last, and what they say. */
import type { Engine } from '../engine/open-engine.ts';
import { print } from './output.ts';

/** `Untagged: …` for each name, then `Deleted: …`, as docker and podman have it. */
export function printRemoved(names: readonly string[], imageId: string): void {
  const untagged = names.filter((reference) => !reference.startsWith('<none>'));
  print([...untagged.map((reference) => `Untagged: ${reference}\n`), `Deleted: ${imageId}\n`].join(''));
}

/** Removes the layers and blobs that nothing needs any more. */
export async function freeSpace(engine: Engine): Promise<void> {
  const [{ collectGarbage }, { engineHooks }] = await Promise.all([
    import('../store/garbage.ts'),
    import('../engine/unpacker.ts'),
  ]);
  await collectGarbage(engine.paths, { hooks: engineHooks(engine) });
}
