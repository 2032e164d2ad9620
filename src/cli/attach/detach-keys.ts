/** The keys that leave an attached container running: `ctrl-p,ctrl-q`. */
import { usageError } from '../parse/usage.ts';

/** Of ctrl-@ to ctrl-_: ASCII, the letter's code without bit 6. */
const CONTROL = /^ctrl-([a-z@[\\\]^_])$/i;

/**
 * The bytes of a sequence: keys with commas between, each one character, `ctrl-` and a letter or one of `@[\]^_`, or DEL; none for ''.
 * Throws ERR_TSRUN_USAGE.
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return new Uint8Array();
  return Uint8Array.from(
    text.split(',').map((key) => {
      const control = CONTROL.exec(key)?.[1];
      if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
      if (key.toUpperCase() === 'DEL') return 0x7f;
      if (/^[ -~]$/.test(key)) return key.charCodeAt(0);
      throw usageError(`--detach-keys ${text}: "${key}" is not a key`, '--detach-keys ctrl-p,ctrl-q');
    }),
  );
}

/** Looks for the sequence in what is typed. Keys that may begin it are held back, and passed on when they turn out not to. */
export class DetachKeys {
  readonly #keys: Uint8Array;
  /** How many keys of the sequence have been typed. */
  #held = 0;
  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** @returns what to pass on, and whether the sequence was completed: what comes after it is nobody's */
  push(typed: Uint8Array): { pass: Buffer; detached: boolean } {
    if (this.#keys.length === 0) return { pass: Buffer.from(typed), detached: false };
    const pass: number[] = [];
    for (const key of typed) {
      const candidate = [...this.#keys.subarray(0, this.#held), key];
      this.#held = this.#longestBeginning(candidate);
      pass.push(...candidate.slice(0, candidate.length - this.#held));
      if (this.#held === this.#keys.length) return { pass: Buffer.from(pass), detached: true };
    }
    return { pass: Buffer.from(pass), detached: false };
  }

  /** The length of the longest end of `typed` that is a beginning of the sequence. */
  #longestBeginning(typed: readonly number[]): number {
    for (let length = typed.length; length > 0; length--) {
      const end = typed.slice(typed.length - length);
      if (end.every((key, index) => key === this.#keys[index])) return length;
    }
    return 0;
  }
}
