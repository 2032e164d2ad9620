/**
 * An incremental tar reader: bytes in, entries out, synchronously, in the dialects that image layers come in.
 *
 *            ┌──────────────── x g L K: 'metadata' ───────────────┐
 *            ▼                                                    │
 *     ┌─► 'header' ── S with more ranges: 'old-sparse' ──┐        │
 *     │      │  └──── pax sparse 1.0: 'sparse-map' ──────┤        │
 *     │      ▼                                           ▼        │
 *     └── 'padding' ◄──────────────────────────────── 'content'   │
 *     └───────────────────────────────────────────────────────────┘
 *            two zero blocks: 'ended', whatever follows is ignored
 *
 * Why not a library: names and pax values must stay bytes, and times, sparse maps and owners must not be lost (DESIGN.md §3).
 * Where dialects leave room, Go's archive/tar decides, since images are made with it: links, directories and devices have no
 * content whatever their size says; GNU long names win over pax paths; an archive may end without its zero blocks, though not
 * inside an entry. Global pax headers are checked, and have no effect: POSIX makes them defaults for what follows, but to docker, podman
 * and containerd they are notes (git leaves the commit in one), and two engines must not make two images of one archive.
 */
import { type TsrunError, tsrunError } from '../../errors.ts';
import { parsePax } from './pax.ts';
import { MAX_RANGES, oldSparseRanges, SparseMapReader, sparseProblem } from './sparse.ts';
import { buildEntry, type EntryExtras, type Skeleton } from './tar-build-entry.ts';
import { displayName, type SparseRange, type TarEntry } from './tar-entry.ts';
import { BLOCK, isZeroBlock, parseTarHeader, type TarHeader } from './tar-header.ts';
import { parseTarNumber } from './tar-number.ts';

/** Called in this order: entry, content (never for an empty file), end. What it throws comes out of `write`. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** `chunk` belongs at `position` of the file; it is only valid during the call. */
  content(chunk: Buffer, position: number): void;
  end(): void;
}

/** Longest pax header or long name, as in Go. */
export const MAX_METADATA = 1 << 20;

type State = 'header' | 'metadata' | 'old-sparse' | 'sparse-map' | 'content' | 'padding' | 'ended';

const noExtras = (): EntryExtras => ({ pax: undefined, longName: undefined, longLink: undefined });

export class TarReader {
  readonly #handler: TarHandler;
  #state: State = 'header';
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Offset in the archive of #chunk's first byte. */
  #base = 0;
  #collected: Buffer | undefined;
  #collectedLength = 0;

  #extras = noExtras();
  #header: TarHeader | undefined;
  #skeleton: Skeleton | undefined;
  #mapReader: SparseMapReader | undefined;
  #name = '';
  #zeroBlocks = 0;

  #remaining = 0;
  #padding = 0;
  #ranges: readonly SparseRange[] = [];
  #range = 0;
  #inRange = 0;

  readonly #maxMetadata: number;

  /** @param maxMetadata bytes of the longest extended header */
  constructor(handler: TarHandler, maxMetadata = MAX_METADATA) {
    this.#handler = handler;
    this.#maxMetadata = maxMetadata;
  }

  /** @throws TsrunError ERR_TSRUN_LAYER_ARCHIVE for what is no tar archive */
  write(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    while (this.#at < chunk.length || this.#isReady()) {
      if (!this.#step()) break;
    }
    this.#base += chunk.length;
  }

  /** @throws TsrunError ERR_TSRUN_LAYER_ARCHIVE when the archive ends inside an entry */
  finish(): void {
    const isBetween = this.#state === 'header' && this.#collectedLength === 0 && !this.#hasExtras();
    if (this.#state === 'ended' || this.#state === 'padding' || isBetween) return;
    this.#chunk = Buffer.alloc(0);
    throw this.#damaged('it ends in the middle');
  }

  #hasExtras(): boolean {
    return (this.#extras.pax ?? this.#extras.longName ?? this.#extras.longLink) !== undefined;
  }

  /** Whether a state can be left without another byte. */
  #isReady(): boolean {
    return (
      (this.#state === 'content' && this.#remaining === 0) ||
      (this.#state === 'padding' && this.#padding === 0)
    );
  }

  /** One transition; false when more bytes are needed. */
  #step(): boolean {
    switch (this.#state) {
      case 'header':
        return this.#readHeader();
      case 'metadata':
        return this.#readMetadata();
      case 'old-sparse':
        return this.#readOldSparse();
      case 'sparse-map':
        return this.#readSparseMap();
      case 'content':
        return this.#readContent();
      case 'padding':
        return this.#skipPadding();
      case 'ended':
        this.#at = this.#chunk.length;
        return false;
    }
  }

  #damaged(problem: string): TsrunError {
    const entry = this.#name === '' ? undefined : displayName(this.#name);
    return tsrunError('ERR_TSRUN_LAYER_ARCHIVE', { problem, entry, offset: this.#base + this.#at });
  }

  /** `size` contiguous bytes, gathered over as many chunks as it takes. */
  #take(size: number): Buffer | undefined {
    const available = this.#chunk.length - this.#at;
    if (this.#collected === undefined && available >= size) {
      const taken = this.#chunk.subarray(this.#at, this.#at + size);
      this.#at += size;
      return taken;
    }
    this.#collected ??= Buffer.alloc(size);
    const count = Math.min(available, size - this.#collectedLength);
    this.#chunk.copy(this.#collected, this.#collectedLength, this.#at, this.#at + count);
    this.#at += count;
    this.#collectedLength += count;
    if (this.#collectedLength < size) return undefined;
    const taken = this.#collected;
    this.#collected = undefined;
    this.#collectedLength = 0;
    return taken;
  }

  #readHeader(): boolean {
    const block = this.#take(BLOCK);
    if (!block) return false;
    if (block[0] === 0 && isZeroBlock(block)) {
      if (this.#hasExtras()) throw this.#damaged('an extended header has no entry');
      if (++this.#zeroBlocks === 2) this.#state = 'ended';
      return true;
    }
    if (this.#zeroBlocks > 0) throw this.#damaged('a single block of zeros is followed by more');
    const result = parseTarHeader(block);
    if (!result.ok) throw this.#damaged(result.problem);
    this.#header = result.header;
    if ('xgLK'.includes(result.header.flag)) {
      if (result.header.size > this.#maxMetadata) throw this.#damaged('an extended header is too long');
      this.#state = 'metadata';
    } else this.#begin(result.header, block);
    return true;
  }

  #readMetadata(): boolean {
    const { flag, size } = this.#header as TarHeader;
    const body = this.#take(size + paddingOf(size));
    if (!body) return false;
    this.#state = 'header';
    const payload = body.subarray(0, size);
    if (flag === 'L' || flag === 'K') {
      const end = payload.indexOf(0);
      const name = payload.toString('latin1', 0, end === -1 ? size : end);
      if (flag === 'L') this.#extras.longName = name;
      else this.#extras.longLink = name;
      return true;
    }
    const result = parsePax(payload);
    if (!result.ok) throw this.#damaged(result.problem);
    // as in Go, a global header is an entry of its own: what stood before it was about it
    this.#extras = flag === 'x' ? { ...this.#extras, pax: result.records } : noExtras();
    return true;
  }

  /** The header of a real entry was read; what is still missing may be its sparse map. */
  #begin(header: TarHeader, block: Buffer): void {
    const built = buildEntry(header, this.#extras);
    this.#extras = noExtras();
    this.#name = 'entry' in built ? built.entry.path : header.name;
    if (!('entry' in built)) throw this.#damaged(built.problem);
    this.#skeleton = built;
    this.#padding = paddingOf(built.stored);
    if (built.sparse === 'old') this.#beginOldSparse(block);
    else if (built.sparse === 'map') {
      this.#mapReader = new SparseMapReader();
      this.#state = 'sparse-map';
    } else this.#emit(built.sparse);
  }

  #beginOldSparse(block: Buffer): void {
    const { entry } = this.#skeleton as Skeleton;
    const ranges = oldSparseRanges(block, 386, 4);
    const size = parseTarNumber(block, 483, 12);
    if (!ranges || size === undefined || size < 0) throw this.#damaged('its sparse map is not valid');
    entry.size = size;
    this.#ranges = ranges;
    if (block[482] === 0) this.#emit(ranges);
    else this.#state = 'old-sparse';
  }

  #readOldSparse(): boolean {
    const block = this.#take(BLOCK);
    if (!block) return false;
    const more = oldSparseRanges(block, 0, 21);
    if (!more || this.#ranges.length + more.length > MAX_RANGES)
      throw this.#damaged('its sparse map is not valid');
    (this.#ranges as SparseRange[]).push(...more);
    if (block[504] === 0) this.#emit(this.#ranges);
    return true;
  }

  #readSparseMap(): boolean {
    const skeleton = this.#skeleton as Skeleton;
    if (skeleton.stored < BLOCK) throw this.#damaged('its sparse map is not valid');
    const block = this.#take(BLOCK);
    if (!block) return false;
    skeleton.stored -= BLOCK;
    const ranges = this.#mapReader?.add(block);
    if (ranges === undefined) throw this.#damaged('its sparse map is not valid');
    if (ranges !== 'more') this.#emit(ranges);
    return true;
  }

  /** Everything about the entry is known: hands it on, and gets ready for its content. */
  #emit(ranges: readonly SparseRange[] | undefined): void {
    const { entry, stored } = this.#skeleton as Skeleton;
    const problem = ranges && sparseProblem(ranges, stored, entry.size);
    if (problem) throw this.#damaged(problem);
    entry.sparse = ranges;
    this.#ranges = ranges ?? [{ offset: 0, length: stored }];
    this.#range = 0;
    this.#inRange = 0;
    this.#remaining = stored;
    this.#state = 'content';
    this.#handler.entry(entry);
  }

  #readContent(): boolean {
    const end = this.#at + Math.min(this.#remaining, this.#chunk.length - this.#at);
    this.#remaining -= end - this.#at;
    while (this.#at < end) {
      const range = this.#ranges[this.#range];
      if (!range) throw this.#damaged('its sparse map does not agree with its size');
      const count = Math.min(end - this.#at, range.length - this.#inRange);
      if (count > 0)
        this.#handler.content(this.#chunk.subarray(this.#at, this.#at + count), range.offset + this.#inRange);
      this.#at += count;
      this.#inRange += count;
      if (this.#inRange === range.length) {
        this.#range++;
        this.#inRange = 0;
      }
    }
    if (this.#remaining > 0) return false;
    this.#handler.end();
    this.#state = 'padding';
    return true;
  }

  #skipPadding(): boolean {
    const count = Math.min(this.#padding, this.#chunk.length - this.#at);
    this.#at += count;
    this.#padding -= count;
    if (this.#padding > 0) return false;
    this.#name = '';
    this.#state = 'header';
    return true;
  }
}

const paddingOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;
