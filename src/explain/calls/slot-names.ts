/** How run-time values read: `$stdout.w`. Slots of one program that were given one name get numbers: `$tmpfs`, `$tmpfs#2`. */
import type { Slot } from '../../sys/step.ts';

const DIGEST = /[0-9a-f]{64}/g;
const DIGITS_SHOWN = 12;

/** Digests are cut to 12 digits; of a long path the end is kept. */
function short(name: string): string {
  const text = name.replaceAll(DIGEST, (digest) => digest.slice(0, DIGITS_SHOWN));
  const parts = text.split('/');
  return text.startsWith('/') && parts.length > 4 ? parts.slice(-2).join('/') : text;
}

export class SlotNames {
  readonly #names = new Map<number, string>();
  readonly #taken = new Map<string, number>();

  of(slot: Slot): string {
    const known = this.#names.get(slot.index);
    if (known) return known;
    const name = short(slot.name);
    const count = (this.#taken.get(name) ?? 0) + 1;
    this.#taken.set(name, count);
    const unique = count === 1 ? `$${name}` : `$${name}#${count}`;
    this.#names.set(slot.index, unique);
    return unique;
  }
}
