/**
 * Where the frames of zstd data end (RFC 8878). Node's decompressor stops after one frame, and says nothing of the rest; layers have many:
 * zstd:chunked has one per file, and pzstd one per thread.
 *
 *     frame     magic FD2FB528, header of 2-14 bytes, blocks, [checksum: 4]
 *     block     3 bytes: last (1 bit), type (2), size (21); a block of type 1 has one byte, whatever its size
 *     skippable magic 184D2A50-184D2A5F, size: 4, that many bytes
 */

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

type State = 'magic' | 'descriptor' | 'block' | 'skippable' | 'skip';

/** Walks over the bytes of frames, in pieces. */
export class ZstdFrameWalker {
  #state: State = 'magic';
  /** What to read next: an integer of so many bytes, little-endian. */
  #needed = 4;
  #have = 0;
  #value = 0;
  /** Bytes to pass over, and what comes after them. */
  #skip = 0;
  #next: State | 'end' = 'magic';
  #hasChecksum = false;

  /** Between two frames: the data may end here. */
  get isBetween(): boolean {
    return this.#state === 'magic' && this.#have === 0;
  }

  /**
   * Walks on from `at`, to the end of the frame or of the piece.
   * @returns where it stopped, and whether the frame ends there; undefined when this is no zstd data
   */
  walk(piece: Buffer, from: number): { at: number; ends: boolean } | undefined {
    let at = from;
    while (at < piece.length || (this.#state === 'skip' && this.#skip === 0)) {
      if (this.#state === 'skip') {
        const count = Math.min(this.#skip, piece.length - at);
        at += count;
        this.#skip -= count;
        if (this.#skip > 0) break;
        const ends = this.#next === 'end';
        this.#expect(this.#next === 'end' ? 'magic' : this.#next);
        if (ends) return { at, ends };
        continue;
      }
      this.#value += (piece[at++] ?? 0) * 2 ** (8 * this.#have++);
      if (this.#have === this.#needed && !this.#take(this.#value)) return undefined;
    }
    return { at, ends: false };
  }

  #expect(state: State): void {
    this.#state = state;
    this.#needed = { magic: 4, descriptor: 1, block: 3, skippable: 4, skip: 0 }[state];
    this.#have = 0;
    this.#value = 0;
  }

  #passOver(count: number, next: State | 'end'): void {
    this.#expect('skip');
    this.#skip = count;
    this.#next = next;
  }

  /** An integer is complete. False: it cannot be here. */
  #take(value: number): boolean {
    switch (this.#state) {
      case 'magic':
        if (value === FRAME_MAGIC) this.#expect('descriptor');
        else if (value >= SKIPPABLE_MAGIC && value <= SKIPPABLE_MAGIC + 15) this.#expect('skippable');
        else return false;
        return true;
      case 'skippable':
        this.#passOver(value, 'end');
        return true;
      case 'descriptor':
        this.#hasChecksum = (value & 4) !== 0;
        this.#passOver(headerRest(value), 'block');
        return true;
      default:
        return this.#takeBlock(value);
    }
  }

  #takeBlock(value: number): boolean {
    const isLast = (value & 1) !== 0;
    const type = (value >> 1) & 3;
    if (type === 3) return false;
    const size = type === 1 ? 1 : value >> 3;
    if (isLast) this.#passOver(size + (this.#hasChecksum ? 4 : 0), 'end');
    else this.#passOver(size, 'block');
    return true;
  }
}

/** Bytes of the frame header after its descriptor: window, dictionary id, content size. */
function headerRest(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionary + contentSize;
}
