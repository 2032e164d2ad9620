/** What a layer changes of the tree below it: `tsrun diff` of a container, whose own layer it is, and of an image. */
import { mkdirSync } from 'node:fs';
import { StoredImage } from '../image/archive/stored-image.ts';
import { type ByteString, displayName, type TarEntry } from '../image/unpack/tar-entry.ts';
import { TarReader } from '../image/unpack/tar-reader.ts';
import { startByRootless } from '../image/unpack/unpack-process.ts';
import { classifyWhiteout } from '../image/unpack/whiteout.ts';
import type { RootfsDriverName } from '../rootfs/driver.ts';
import { privateView } from '../rootfs/view.ts';
import { removeTreeInside } from '../rootless/enter.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { layerDiff } from '../store/paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import type { Engine } from './open-engine.ts';
import { runCopier } from './run-copier.ts';
import { chooseStorageDriver } from './storage-driver.ts';

export interface Change {
  kind: 'A' | 'C' | 'D';
  /** Absolute, in the container. */
  path: string;
}

/** What a layer holds. */
interface Marks {
  present: ByteString[];
  removed: ByteString[];
  opaque: ByteString[];
}

/** @param archive a layer's, uncompressed. Throws ERR_TSRUN_LAYER_ARCHIVE, and what reading it throws */
export async function readMarks(archive: AsyncIterable<unknown>): Promise<Marks> {
  const marks: Marks = { present: [], removed: [], opaque: [] };
  const entry = (found: TarEntry): void => {
    const path = found.path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
    const whiteout = classifyWhiteout(path);
    if (whiteout.kind === 'whiteout') marks.removed.push(whiteout.path);
    else if (whiteout.kind === 'opaque') marks.opaque.push(whiteout.directory);
    else if (whiteout.kind === 'none' && path !== '' && path !== '.') marks.present.push(path);
  };
  const reader = new TarReader({ entry, content: () => {}, end: () => {} });
  for await (const chunk of archive) reader.write(chunk as Buffer);
  reader.finish();
  return marks;
}

/** The tree below a layer. */
interface Below {
  /** Of its layers, the highest first. */
  directories: readonly string[];
  driver: RootfsDriverName;
}

export async function changesOver(
  engine: Engine,
  { present, removed, opaque }: Marks,
  below: Below,
): Promise<Change[]> {
  const { there, listed } = await lookBelow(engine, below, present, opaque);
  const kept = new Set(present);
  const hidden = opaque.flatMap((directory, i) =>
    (listed[i] ?? []).map((name) => (directory === '' ? name : `${directory}/${name}`)),
  );
  const changes = [
    ...present.map((path, i): [Change['kind'], ByteString] => [there[i] ? 'C' : 'A', path]),
    ...[...new Set([...removed, ...hidden.filter((path) => !kept.has(path))])].map(
      (path): [Change['kind'], ByteString] => ['D', path],
    ),
  ];
  return changes
    .sort(([, a], [, b]) => (a < b ? -1 : 1))
    .map(([kind, path]) => ({ kind, path: `/${displayName(path)}` }));
}

/** Which of `paths` are there, and what is in the directories `lists`. */
async function lookBelow(
  engine: Engine,
  { directories, driver }: Below,
  paths: readonly ByteString[],
  lists: readonly ByteString[],
): Promise<{ there: boolean[]; listed: ByteString[][] }> {
  if (directories.length === 0) return { there: [], listed: [] };
  const mountpoint = temporaryPath(engine.paths, 'view');
  mkdirSync(mountpoint, { mode: 0o700 });
  const rootless = engine.rootless();
  try {
    const start = startByRootless(rootless, (slots) =>
      privateView(slots, driver, { directories, mountpoint }),
    );
    const { there = [], listed = [] } = await runCopier(start, { kind: 'present', root: mountpoint }, [
      Buffer.from(JSON.stringify({ paths, lists })),
    ]);
    return { there, listed };
  } finally {
    removeTreeInside(rootless, [mountpoint]);
  }
}

/** What the last layer of an image changes. Throws ERR_TSRUN_STORE for a layer whose archive is lost. */
export async function imageChanges(engine: Engine, record: ImageRecord): Promise<Change[]> {
  const { layers } = record;
  const top = layers.at(-1);
  if (top === undefined) return [];
  const { bytes } = await new StoredImage(engine.paths, record).archive(top);
  const marks = await readMarks(bytes);
  const directories = layers
    .slice(0, -1)
    .map(({ chainId }) => layerDiff(engine.paths, chainId))
    .reverse();
  const { driver } = chooseStorageDriver(engine.paths, engine.rootless, engine.storageDriver);
  // Containers are copies with the driver `copy`, layers are not: only the kernel can lay them over each other.
  return await changesOver(engine, withParents(marks), {
    directories,
    driver: driver === 'copy' ? 'overlay' : driver,
  });
}

/** An archive need not name the directories that its files are in. */
function withParents({ present, removed, opaque }: Marks): Marks {
  const all = new Set(present);
  for (const path of [...present, ...removed])
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      all.add(path.slice(0, at));
  return { present: [...all], removed, opaque };
}
