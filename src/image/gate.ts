/** Lets a few in at a time, in their order. */
export class Gate {
  #free: number;
  readonly #queue: (() => void)[] = [];
  constructor(free: number) {
    this.#free = free;
  }
  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
  }
  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
