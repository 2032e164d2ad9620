/**
 * The data area of a program image: strings, structs and buffers, each at an 8-byte aligned offset. Equal strings share one
 * place, an object used twice is one place (see {@link Memory}).
 */
import type { Field, Memory, Slot } from './step.ts';

/** A member that exists only at run time: stored from a slot before the call, or loaded into one after it. */
export interface Patch {
  offset: number;
  width: 4 | 8;
  slot: Slot;
}

/** A string with slots in it: built by TEXT ops before each use. */
export interface TextPatch {
  offset: number;
  capacity: number;
  parts: readonly (string | Slot)[];
  /** Receives its length in bytes. */
  size?: Slot | undefined;
}

/** Where one Memory value lies and what must happen around the call that uses it. */
export interface Placed {
  offset: number;
  stores: readonly Patch[];
  texts: readonly TextPatch[];
  loads: readonly Patch[];
}

const SLOT_DIGITS = 20;
const NOTHING: readonly never[] = [];

export class DataArea {
  #bytes = Buffer.alloc(4096);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;
  readonly relocations: number[] = [];
  readonly #strings = new Map<string, Placed>();
  readonly #objects = new Map<object, Placed>();

  /** Places `memory`, or finds where it already is. */
  place(memory: Memory): Placed {
    if (typeof memory === 'string') return this.#placeString(memory);
    const known = this.#objects.get(memory);
    if (known) return known;
    const placed = this.#placeObject(memory);
    this.#objects.set(memory, placed);
    return placed;
  }

  /** The finished area: padded, and ending in a NUL as program_check() demands. */
  finish(): Buffer {
    this.#reserve(8);
    return this.#bytes.subarray(0, this.#used);
  }

  #reserve(size: number): number {
    const offset = this.#used;
    this.#used += (size + 7) & ~7;
    if (this.#used > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(4 * this.#bytes.length, this.#used));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return offset;
  }

  #placeString(value: string): Placed {
    const known = this.#strings.get(value);
    if (known) return known;
    if (value.includes('\0'))
      throw new RangeError(`a string for the kernel cannot hold a NUL: ${JSON.stringify(value)}`);
    const offset = this.#used;
    this.#reserve(3 * value.length + 1); // bytes of UTF-8, at most
    const length = this.#bytes.write(value, offset);
    this.#used = offset + ((length + 8) & ~7); // a NUL behind it
    const placed = { offset, stores: NOTHING, texts: NOTHING, loads: NOTHING };
    this.#strings.set(value, placed);
    return placed;
  }

  #placeObject(memory: Exclude<Memory, string>): Placed {
    if (memory instanceof Uint8Array) {
      const offset = this.#reserve(memory.length);
      this.#bytes.set(memory, offset);
      return { offset, stores: NOTHING, texts: NOTHING, loads: NOTHING };
    }
    if ('buffer' in memory) {
      return { offset: this.#reserve(memory.buffer), stores: NOTHING, texts: NOTHING, loads: NOTHING };
    }
    if ('text' in memory) return this.#placeText(memory.text, memory.size);
    if ('strings' in memory) return this.#placeStrings(memory.strings);
    return this.#placeFields(memory.fields);
  }

  #placeText(parts: readonly (string | Slot)[], size?: Slot): Placed {
    const capacity =
      1 +
      parts.reduce(
        (sum, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : SLOT_DIGITS),
        0,
      );
    const offset = this.#reserve(capacity);
    return { offset, stores: NOTHING, texts: [{ offset, capacity, parts, size }], loads: NOTHING };
  }

  #placeStrings(items: readonly (string | { text: readonly (string | Slot)[] })[]): Placed {
    const offset = this.#reserve(8 * (items.length + 1));
    const texts: TextPatch[] = [];
    items.forEach((item, index) => {
      const placed = this.place(item);
      texts.push(...placed.texts);
      this.#point(offset + 8 * index, placed.offset);
    });
    return { offset, stores: NOTHING, texts, loads: NOTHING };
  }

  #placeFields(fields: readonly Field[]): Placed {
    const offset = this.#reserve(fields.reduce((sum, field) => sum + fieldSize(field), 0));
    const stores: Patch[] = [];
    const loads: Patch[] = [];
    const texts: TextPatch[] = [];
    let at = offset;
    for (const field of fields) {
      if ('pointer' in field) {
        const placed = this.place(field.pointer);
        stores.push(...placed.stores);
        loads.push(...placed.loads);
        texts.push(...placed.texts);
        this.#point(at, placed.offset);
      } else if ('bytes' in field) this.#bytes.set(field.bytes, at);
      else if ('from' in field) stores.push({ offset: at, width: field.width, slot: field.from });
      else if ('into' in field) loads.push({ offset: at, width: field.width, slot: field.into });
      else writeInteger(this.#view, at, field.width, field.value);
      at += fieldSize(field);
    }
    return { offset, stores, texts, loads };
  }

  #point(at: number, target: number): void {
    // The upper half stays 0: the area is far smaller than 4 GiB.
    this.#view.setUint32(at, target, true);
    this.relocations.push(at);
  }
}

function fieldSize(field: Field): number {
  if ('pointer' in field) return 8;
  if ('bytes' in field) return field.bytes.length;
  return field.width;
}

function writeInteger(view: DataView, at: number, width: 1 | 2 | 4 | 8, value: number | bigint): void {
  if (value === 0) return; // as the area is
  if (width >= 4 && typeof value === 'number' && value > 0 && value <= 0xffffffff) {
    view.setUint32(at, value, true); // by far the most; the upper half of 8 bytes is 0
    return;
  }
  const bits = BigInt.asUintN(width * 8, BigInt(value));
  if (width === 8) view.setBigUint64(at, bits, true);
  else if (width === 4) view.setUint32(at, Number(bits), true);
  else if (width === 2) view.setUint16(at, Number(bits), true);
  else view.setUint8(at, Number(bits));
}
