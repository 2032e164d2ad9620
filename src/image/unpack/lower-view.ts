/**
 * What the layers below show, looked up one name at a time: the overlay's rules, without mounting one.
 *
 * The lowers' directories were opened before the worker changed its root, so that nothing but these descriptors leads out of it,
 * and every look-up is an openat2(2) that follows no symbolic link and stays beneath its descriptor. Costs a system call per
 * lower and look-up, so it is asked only for what the layer itself does not hold: missing parents, link targets, whiteouts.
 */
import { type BigIntStats, closeSync, fstatSync } from 'node:fs';
import { OPAQUE_XATTR } from '../../rootfs/find-in-layers.ts';
import { joinPath } from './entry-path.ts';
import type { UnpackHost } from './host.ts';
import type { ByteString } from './tar-entry.ts';
import { isWhiteoutDevice } from './whiteout.ts';

export interface Lower {
  /** A descriptor of its diff directory. */
  fd: number;
  /** What lies in it, for an opaque root; listed when it was opened. */
  names: readonly ByteString[];
}

/** Which lowers a directory is merged from: indices, the topmost first. */
export type Contributors = readonly number[];

export type LowerNode =
  | { kind: 'directory'; contributors: Contributors; stats: BigIntStats; layer: number }
  | { kind: 'symlink'; target: ByteString; stats: BigIntStats; layer: number }
  | { kind: 'other'; stats: BigIntStats; layer: number };

export class LowerView {
  readonly #host: UnpackHost;
  readonly #lowers: readonly Lower[];

  /** @param lowers the topmost first */
  constructor(host: UnpackHost, lowers: readonly Lower[]) {
    this.#host = host;
    this.#lowers = lowers;
  }

  get all(): Contributors {
    return this.#lowers.map((_, index) => index);
  }

  /** Names in the root directories of all lowers. */
  rootNames(): Set<ByteString> {
    return new Set(this.#lowers.flatMap((lower) => lower.names));
  }

  /** What `name` in `directory` is, when the directory is merged from `contributors`. undefined: nothing. */
  lookup(contributors: Contributors, directory: ByteString, name: ByteString): LowerNode | undefined {
    const path = joinPath(directory, name);
    let top: LowerNode | undefined;
    const merged: number[] = [];
    for (const layer of contributors) {
      const found = this.#inspect(layer, path);
      if (!found) continue;
      if (found.kind === 'whiteout') break;
      if (found.kind !== 'directory') return top ?? found;
      top ??= found;
      merged.push(layer);
      if (found.isOpaque) break;
    }
    return top?.kind === 'directory' ? { ...top, contributors: merged } : undefined;
  }

  /** Opens what {@link lookup} found, to read its content or attributes; the caller closes it. */
  open(layer: number, path: ByteString): number {
    const fd = this.#host.openBeneath(this.#fd(layer), path, 'read');
    if (fd === undefined) throw new Error(`layer ${layer} lost ${path} while it was read`);
    return fd;
  }

  /** Extended attributes of what {@link open} opened. */
  readXattrs(fd: number): Map<ByteString, Buffer> {
    return this.#host.readXattrs(fd);
  }

  /** The attributes of the root directory of the topmost lower. */
  rootNode(): LowerNode | undefined {
    const lower = this.#lowers[0];
    if (!lower) return undefined;
    const stats = fstatSync(lower.fd, { bigint: true });
    return { kind: 'directory', contributors: this.all, stats, layer: 0 };
  }

  #fd(layer: number): number {
    const lower = this.#lowers[layer];
    if (!lower) throw new RangeError(`there is no lower layer ${layer}`);
    return lower.fd;
  }

  #inspect(
    layer: number,
    path: ByteString,
  ): (LowerNode & { isOpaque?: boolean }) | { kind: 'whiteout' } | undefined {
    const fd = this.#host.openBeneath(this.#fd(layer), path, 'look');
    if (fd === undefined) return undefined;
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (isWhiteoutDevice(stats)) return { kind: 'whiteout' };
      if (stats.isSymbolicLink()) return { kind: 'symlink', target: this.#host.readLink(fd), stats, layer };
      if (!stats.isDirectory()) return { kind: 'other', stats, layer };
      return {
        kind: 'directory',
        contributors: [layer],
        stats,
        layer,
        isOpaque: this.#isOpaque(layer, path),
      };
    } finally {
      closeSync(fd);
    }
  }

  #isOpaque(layer: number, path: ByteString): boolean {
    const fd = this.open(layer, path);
    try {
      return this.#host.readXattrs(fd).get(OPAQUE_XATTR)?.[0] === 0x79;
    } finally {
      closeSync(fd);
    }
  }
}
