/** A place in a profile's JSON that knows its own name, so that each complaint says where: `syscalls[3].args[0].op`. */
import { tsrunError } from '../../errors.ts';

export class ProfileNode {
  readonly #file: string;
  readonly #parent: ProfileNode | undefined;
  /** The name of the whole, or a key of the parent. */
  readonly #key: string | number;
  readonly value: unknown;

  /** @param key in `parent`, or what the whole is called in `file` */
  constructor(file: string, key: string | number, value: unknown, parent?: ProfileNode) {
    this.#file = file;
    this.#parent = parent;
    this.#key = key;
    this.value = value;
  }

  /** Put together only when there is something to complain about: a profile has hundreds of places. */
  get #where(): string {
    const above = this.#parent === undefined ? undefined : this.#parent.#where;
    if (typeof this.#key === 'number') return `${above}[${this.#key}]`;
    return above ? `${above}.${this.#key}` : this.#key;
  }

  /** Go's encoder writes null for an empty list; both mean "not there". */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Throws ERR_TSRUN_SECCOMP_PROFILE: this place, then `problem`. */
  fail(problem: string): never {
    throw tsrunError('ERR_TSRUN_SECCOMP_PROFILE', {
      file: this.#file,
      problem: `${this.#where || 'the profile'} ${problem}`,
    });
  }

  get(key: string): ProfileNode {
    return new ProfileNode(this.#file, key, this.#object()[key], this);
  }

  /** A key that nobody reads is a misspelt one. */
  onlyKeys(...keys: (string | readonly string[])[]): void {
    const known = new Set(keys.flat());
    const unknown = Object.keys(this.#object()).find((key) => !known.has(key));
    if (unknown !== undefined) this.get(unknown).fail('is not a field that tsrun knows');
  }

  /** The elements of a list; none when it is not there. */
  items(): ProfileNode[] {
    if (!this.present) return [];
    if (!Array.isArray(this.value)) this.fail('is not a list');
    const list: unknown[] = this.value;
    return list.map((item, index) => new ProfileNode(this.#file, index, item, this));
  }

  string(): string {
    return typeof this.value === 'string' ? this.value : this.fail('is not a string');
  }

  oneOf<Name extends string>(names: readonly Name[]): Name {
    const found = names.find((name) => name === this.value);
    if (found !== undefined) return found;
    if (!this.present) this.fail(`is missing: one of ${names.join(', ')}`);
    return this.fail(`is ${JSON.stringify(this.value)}, none of ${names.join(', ')}`);
  }

  /** An unsigned integer up to `max`; a bigint where a number would round it. */
  integer(max = 0xffffffffffffffffn): number | bigint {
    const { value } = this;
    const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
    if (!whole || value < 0 || value > max) this.fail(`is not an integer from 0 to ${max}`);
    return value as number | bigint;
  }

  #object(): Record<string, unknown> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      this.fail('is not an object');
    return this.value as Record<string, unknown>;
  }
}
