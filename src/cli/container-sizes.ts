/** How much containers have written: the sizes of the files in their upper layers, as `ps -s` shows them. */
import { lstatSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import { upperOf } from '../engine/container-rootfs.ts';
import type { ContainerView } from '../engine/container-view.ts';
import type { Engine } from '../engine/open-engine.ts';
import { LayerStore } from '../store/layers.ts';
import { humanSize } from './format/human.ts';

interface Measured {
  bytes: number;
  /** Directories of subordinate ids could not be looked into. */
  isLowerBound: boolean;
}

/** Bytes of the files below `directory`. Hard links count once. */
export function measureTree(directory: string): Measured {
  const seen = new Set<string>();
  const measured: Measured = { bytes: 0, isLowerBound: false };
  const visit = (path: string): void => {
    let entries: ReturnType<typeof opendirSync>;
    try {
      entries = opendirSync(path);
    } catch {
      measured.isLowerBound = true;
      return;
    }
    using open = entries;
    for (let entry = open.readSync(); entry; entry = open.readSync()) {
      const inner = join(path, entry.name);
      const stat = lstatSync(inner, { throwIfNoEntry: false });
      const key = stat && `${stat.dev}:${stat.ino}`;
      if (stat === undefined || key === undefined || seen.has(key)) continue;
      seen.add(key);
      if (stat.isFile()) measured.bytes += stat.size;
      if (stat.isDirectory()) visit(inner);
    }
  };
  visit(directory);
  return measured;
}

/** What a container has written, and the bytes of all that it sees. */
export function sizesOf(
  engine: Engine,
  { record }: Pick<ContainerView, 'record'>,
): { written: Measured; whole: number } {
  const layers = new LayerStore(engine.paths);
  const written = measureTree(upperOf(engine.paths, record));
  const below = record.layers.reduce((sum, chainId) => sum + layers.record(chainId).size, 0);
  return { written, whole: written.bytes + below };
}

/** Id → `2B (virtual 144MB)`; `≥` where parts belong to subordinate ids and are not to be read. */
export function containerSizes(engine: Engine, views: readonly ContainerView[]): Map<string, string> {
  return new Map(
    views.map((view) => {
      const { written, whole } = sizesOf(engine, view);
      const { bytes, isLowerBound } = written;
      return [view.id, `${isLowerBound ? '≥' : ''}${humanSize(bytes)} (virtual ${humanSize(whole)})`];
    }),
  );
}
