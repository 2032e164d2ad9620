/** What a layer may cost: against archives made to fill disks and memory (CVE-2017-14992 and its kind). */
import { tsrunError } from '../../errors.ts';
import type { PathLimits } from './entry-path.ts';

export interface UnpackLimits extends PathLimits {
  maxEntries: number;
  /** Uncompressed to compressed bytes, looked at once `ratioFloor` uncompressed bytes have come. */
  maxRatio: number;
  ratioFloor: number;
  /** Uncompressed bytes; undefined = as many as the disk holds. */
  maxBytes?: number | undefined;
  /** Of an extended header; undefined = what the reader takes. */
  maxMetadata?: number | undefined;
}

/** Real layers expand 2- to 10-fold; zeros by gzip 1000-fold, by zstd 10 000-fold. */
export const DEFAULT_LIMITS: UnpackLimits = {
  maxEntries: 2_000_000,
  maxRatio: 200,
  ratioFloor: 1 << 27,
  maxPathLength: 4095,
  maxDepth: 512,
};

/** For what the store has taken in already. */
export const NO_SIZE_LIMITS: UnpackLimits = { ...DEFAULT_LIMITS, maxRatio: Number.POSITIVE_INFINITY };

/** Counts the bytes of one layer on both sides of its decompression. */
export class SizeMeter {
  readonly #limits: UnpackLimits;
  compressed = 0;
  uncompressed = 0;

  constructor(limits: UnpackLimits) {
    this.#limits = limits;
  }

  /** @throws TsrunError ERR_TSRUN_LAYER_LIMIT */
  check(): void {
    const { maxRatio, ratioFloor, maxBytes } = this.#limits;
    if (maxBytes !== undefined && this.uncompressed > maxBytes) {
      throw tsrunError('ERR_TSRUN_LAYER_LIMIT', { what: 'bytes', allowed: maxBytes });
    }
    if (this.uncompressed > ratioFloor && this.uncompressed > maxRatio * this.compressed) {
      throw tsrunError('ERR_TSRUN_LAYER_LIMIT', { what: 'bytes per compressed byte', allowed: maxRatio });
    }
  }
}
