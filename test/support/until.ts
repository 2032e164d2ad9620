/** Waiting for something that happens on its own. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with the first result of `look` that is neither undefined nor false; rejects, naming `what`, when none came in time. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  patienceMs = 40_000,
): Promise<Exclude<T, undefined | false>> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await sleep(20);
  }
}
