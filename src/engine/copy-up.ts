/**
 * Copies in the rootless namespaces, by cp(1) in a mount namespace of its own: owners, modes, times, links and attributes are kept, and
 * extents are shared where the file system can (reflink).
 */
import type { RuntimeUser } from '../spec/runtime.ts';
import type { ContainerRecord, RecordedMount } from '../store/container-record.ts';
import { layerDiff } from '../store/paths.ts';
import { fillVolume } from './fill-volume.ts';
import type { Engine } from './open-engine.ts';
import { runCommandInside } from './run-command-inside.ts';

/** What must be in `upper`, and in new volumes, before the container exists. @throws ERR_TSRUN_STORE, ERR_TSRUN_NAMESPACES */
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
  for (const volume of volumes) await fillVolume(engine, record, upper, volume);
}

/** Option `U`: the tree belongs to the container's user; links are not followed. @throws ERR_TSRUN_STORE */
export async function giveTo(
  engine: Engine,
  { uid, gid }: Pick<RuntimeUser, 'uid' | 'gid'>,
  mount: RecordedMount,
): Promise<void> {
  const argv = ['/bin/chown', '-R', '-h', '-P', '--', `${uid}:${gid}`, mount.source];
  await runCommandInside(engine, argv, `give ${mount.source} to user ${uid} of the container`);
}

/**
 * One layer over what lies below it: its whiteouts (0:0 devices, opaque marks) remove, everything else is copied. A whiteout is
 * copied as well, which takes away what is there, and removed at the end.
 *
 * First of all the layer's directories replace whatever else is in their place, parents before children: from then on no path of the
 * layer leads through a symbolic link of a lower one, which may point anywhere on this machine.
 */
const APPLY_LAYER = `
set -euo pipefail
command -v getfattr >/dev/null || { echo 'getfattr is not installed: sudo apt-get install attr' >&2; exit 1; }
cd "$1"
find . -mindepth 1 -type d -print0 | while IFS= read -r -d '' d; do
  if [ -L "$2/$d" ] || { [ -e "$2/$d" ] && [ ! -d "$2/$d" ]; }; then rm -f -- "$2/$d"; fi
done
find . -type d -print0 | while IFS= read -r -d '' d; do
  if [ "$(getfattr --absolute-names -h --only-values -n user.overlay.opaque -- "$d" 2>/dev/null)" = y ]; then
    [ ! -d "$2/$d" ] || find "$2/$d" -mindepth 1 -delete
  fi
done
find . -mindepth 1 ! -type d -print0 | while IFS= read -r -d '' f; do
  if [ -d "$2/$f" ] && [ ! -L "$2/$f" ]; then rm -rf -- "$2/$f"; fi
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
