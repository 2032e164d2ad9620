/**
 * Copies in the rootless namespaces, by cp(1) in a mount namespace of its own: owners, modes, times, links and attributes are kept, and
 * extents are shared where the file system can (reflink).
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import type { ContainerRecord, RecordedMount } from '../store/container-record.ts';
import { layerDiff } from '../store/paths.ts';
import type { Engine } from './open-engine.ts';
import { runCommandInside } from './run-command-inside.ts';

/** Layers below, top last, so that a later copy replaces what an earlier one brought. */
export async function copyIntoContainer(
  engine: Engine,
  record: ContainerRecord,
  upper: string,
  volumes: readonly RecordedMount[],
): Promise<void> {
  const lowers = record.layers.map((chainId) => layerDiff(engine.paths, chainId));
  if (record.rootfsDriver === 'copy') {
    for (const lower of lowers) await copyLayer(engine, lower, upper);
  }
  for (const volume of volumes) await fillVolume(engine, lowers, volume);
}

/** One layer over what lies below it: its whiteouts (0:0 devices, opaque marks) remove, everything else is copied. */
const APPLY_LAYER = `
set -eu
cd "$1"
find . -type c -print0 | while IFS= read -r -d '' f; do
  if [ "$(stat -c %t:%T "$f")" = 0:0 ]; then rm -rf -- "$2/$f"; fi
done
find . -type d -print0 | while IFS= read -r -d '' d; do
  if [ "$(getfattr --absolute-names -h --only-values -n user.overlay.opaque -- "$d" 2>/dev/null)" = y ]; then
    rm -rf -- "$2/$d"
  fi
done
# A directory cannot be copied over something else, nor something else over a directory.
find . -mindepth 1 -print0 | while IFS= read -r -d '' f; do
  if [ -e "$2/$f" ] || [ -L "$2/$f" ]; then
    if [ -d "$f" ] && [ ! -L "$f" ]; then [ -d "$2/$f" ] && [ ! -L "$2/$f" ] || rm -f -- "$2/$f"
    elif [ -d "$2/$f" ] && [ ! -L "$2/$f" ]; then rm -rf -- "$2/$f"; fi
  fi
done
cp -a --reflink=auto --remove-destination . "$2/"
find "$2" -type c -print0 | while IFS= read -r -d '' f; do
  if [ "$(stat -c %t:%T "$f")" = 0:0 ]; then rm -f -- "$f"; fi
done
`;

async function copyLayer(engine: Engine, lower: string, upper: string): Promise<void> {
  await runCommandInside(
    engine,
    ['/bin/bash', '-c', APPLY_LAYER, 'copy-layer', lower, upper],
    `copy a layer of the image`,
  );
}

/** A new volume begins with what the image has at its place: the topmost layer that has the directory. */
async function fillVolume(engine: Engine, lowers: readonly string[], volume: RecordedMount): Promise<void> {
  if (!existsSync(volume.source)) throw tsrunError('ERR_TSRUN_MOUNT_SOURCE', { source: volume.source });
  if (readdirSync(volume.source).length > 0) return;
  const inLayers = lowers.map((lower) => join(lower, volume.destination)).filter((path) => existsSync(path));
  if (inLayers.length === 0) return;
  mkdirSync(volume.source, { recursive: true });
  for (const path of inLayers) {
    await runCommandInside(
      engine,
      ['/bin/cp', '-a', '--reflink=auto', `${path}/.`, `${volume.source}/`],
      `fill the volume on ${volume.destination}`,
    );
  }
}
