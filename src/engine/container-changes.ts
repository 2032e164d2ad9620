/** Use case: `tsrun diff`: what a container has changed of its image's files. */
import { mkdirSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { type ByteString, displayName, type TarEntry } from '../image/unpack/tar-entry.ts';
import { TarReader } from '../image/unpack/tar-reader.ts';
import { startByRootless } from '../image/unpack/unpack-process.ts';
import { classifyWhiteout } from '../image/unpack/whiteout.ts';
import { privateView } from '../rootfs/view.ts';
import { removeTreeInside } from '../rootless/enter.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { temporaryPath } from '../store/temporary.ts';
import { lowersOf } from './container-rootfs.ts';
import type { Engine } from './open-engine.ts';
import { streamTree } from './pack-tree.ts';
import { runCopier } from './run-copier.ts';

export interface Change {
  kind: 'A' | 'C' | 'D';
  /** Absolute, in the container. */
  path: string;
}

/** Files that are there only for something to be mounted on: no change of the container's. */
export const MOUNT_PLACES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'dev', 'proc', 'sys'];

interface Marks {
  present: ByteString[];
  removed: ByteString[];
  opaque: ByteString[];
}

/** What the container's own layer holds. */
async function readMarks(engine: Engine, record: ContainerRecord): Promise<Marks> {
  const marks: Marks = { present: [], removed: [], opaque: [] };
  const entry = (found: TarEntry): void => {
    const path = found.path.replace(/\/+$/, '');
    const whiteout = classifyWhiteout(path);
    if (whiteout.kind === 'whiteout') marks.removed.push(whiteout.path);
    else if (whiteout.kind === 'opaque') marks.opaque.push(whiteout.directory);
    else if (whiteout.kind === 'none' && path !== '') marks.present.push(path);
  };
  const reader = new TarReader({ entry, content: () => {}, end: () => {} });
  const { archive, result } = streamTree(engine, { kind: 'changes', record }, { exclude: MOUNT_PLACES });
  for await (const chunk of archive) reader.write(chunk as Buffer);
  reader.finish();
  await result;
  return marks;
}

/** @throws ERR_TSRUN_USAGE for a container that is a copy of its image, ERR_TSRUN_PACK */
export async function containerChanges(engine: Engine, record: ContainerRecord): Promise<Change[]> {
  if (record.rootfsDriver === 'copy') {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${record.name} is a full copy of its image (storage driver copy): what it changed is not known`,
    });
  }
  const { present, removed, opaque } = await readMarks(engine, record);
  const { there, listed } = await lookInImage(engine, record, present, opaque);
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

/** Which of `paths` the image has, and what is in its directories `lists`. */
async function lookInImage(
  engine: Engine,
  record: ContainerRecord,
  paths: readonly ByteString[],
  lists: readonly ByteString[],
): Promise<{ there: boolean[]; listed: ByteString[][] }> {
  const mountpoint = temporaryPath(engine.paths, 'view');
  mkdirSync(mountpoint, { mode: 0o700 });
  const rootless = engine.rootless();
  try {
    const directories = lowersOf(engine.paths, record);
    const start = startByRootless(rootless, (slots) =>
      privateView(slots, record.rootfsDriver, { directories, mountpoint }),
    );
    const { there = [], listed = [] } = await runCopier(start, { kind: 'present', root: mountpoint }, [
      Buffer.from(JSON.stringify({ paths, lists })),
    ]);
    return { there, listed };
  } finally {
    removeTreeInside(rootless, [mountpoint]);
  }
}
