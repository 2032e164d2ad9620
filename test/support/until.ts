/** Waiting for something that happens on its own. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Much longer than what is waited for takes on any machine: how fast it comes is not what tests ask. */
const PATIENCE_MS = 40_000;

/** Resolves with the first result of `look` that is neither undefined nor false; rejects, naming `what`, when none came in time. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
): Promise<Exclude<T, undefined | false>> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await sleep(20);
  }
}
