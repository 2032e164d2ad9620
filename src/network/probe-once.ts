/**
 * Can this kernel do that, for an ordinary user? Tried once after each boot, by doing it in a network namespace that is thrown away: parts of
 * the network stack may be modules that are not loaded, or left out.
 */
import { statSync, writeFileSync } from 'node:fs';
import { type Rootless, runInside } from '../rootless/enter.ts';
import { NamespaceFailure } from '../rootless/namespace-failure.ts';
import { call } from '../sys/calls.ts';
import { CLONE_NEWNET } from '../sys/constants.ts';
import type { Slots, Step } from '../sys/step.ts';

/**
 * Why not, in the system's words; undefined when it can.
 * @param mark a file in the user's runtime directory, made when it can; a failure may be one of the moment, and is not kept
 * @param trial what is done, as root of the namespace
 */
export function probeOnce(
  rootless: () => Rootless,
  mark: string,
  trial: (slots: Slots) => readonly Step[],
): string | undefined {
  if (statSync(mark, { throwIfNoEntry: false })) return undefined;
  try {
    runInside(rootless(), (slots) => [
      call('rootless', 'a network to try it in', 'unshare', [CLONE_NEWNET]),
      ...trial(slots),
    ]);
  } catch (error) {
    if (!(error instanceof NamespaceFailure)) throw error;
    return error.failure.message;
  }
  try {
    writeFileSync(mark, '', { mode: 0o600 });
  } catch {
    // A full runtime directory: the next command tries it again.
  }
  return undefined;
}
